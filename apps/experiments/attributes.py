"""What experiments may target a user by, as far as the database says it."""

from datetime import timedelta

from apps.accounts.models import User
from apps.algorithms.context import user_segment
from apps.core import clock
from apps.experiments.assigning import Attributes
from apps.ratings.models import Rating


def attributes_of_user(user: User, *, language: str = "") -> Attributes:
    """Of the user as of now; ``language`` is what a request of theirs would ask for. One query."""
    n_ratings = Rating.objects.of(user.pk).standing().count()
    return attributes_from(user, n_ratings=n_ratings, language=language)


def attributes_from(user: User | None, *, n_ratings: int, language: str) -> Attributes:
    """Of somebody whose number of ratings is known. A guest has no account, and so no age of one."""
    account = user if user is not None and user.has_account else None
    return Attributes(
        user_segment=user_segment(n_ratings),
        language=language,
        age_days=(clock.now() - account.date_joined) / timedelta(days=1) if account else None,
        is_staff=bool(account and account.is_staff),
        is_imported=bool(user and user.is_imported),
    )
