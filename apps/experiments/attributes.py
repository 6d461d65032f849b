"""What experiments may target a viewer by."""

from datetime import datetime, timedelta

from apps.accounts.models import User
from apps.algorithms.context import user_segment
from apps.experiments.assigning import Attributes


def attributes_from(viewer: User | None, *, n_ratings: int, language: str, now: datetime) -> Attributes:
    """``n_ratings`` counts the viewer's real ratings. A guest has no account, and so no age of one."""
    account = viewer if viewer is not None and viewer.has_account else None
    return Attributes(
        user_segment=user_segment(n_ratings),
        language=language,
        age_days=(now - account.date_joined) / timedelta(days=1) if account else None,
        is_staff=bool(account and account.is_staff),
        is_imported=bool(viewer and viewer.is_imported),
    )
