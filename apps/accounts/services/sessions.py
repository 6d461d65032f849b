"""Ending a person's sessions."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Session, User
from apps.accounts.tokens import end_tokens
from apps.core.errors import NotFound


def end_session(*, user: User, handle: UUID) -> None:
    """Ends one session of theirs; what it has under way is its last."""
    ended, _ = Session.objects.of(user).filter(handle=handle).delete()
    if not ended:
        raise NotFound("There is no such session of yours: it may have ended already")


@transaction.atomic
def end_other_sessions(*, user: User, kept: str) -> tuple[int, int]:
    """Ends every session but the one of the key ``kept``, and all refresh tokens; how many of each."""
    ended, _ = Session.objects.of(user).open().exclude(session_key=kept).delete()
    return ended, end_tokens(user)


def clear_expired_sessions() -> int:
    """Deletes sessions that open nothing any more, visitors' too; how many."""
    cleared, _ = Session.objects.filter(expire_date__lte=timezone.now()).delete()
    return cleared
