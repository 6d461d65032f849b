"""Letting somebody in no more, and again."""

from django.db import transaction

from apps.accounts.models import User
from apps.accounts.services.sessions import end_other_sessions
from apps.core.errors import Conflict
from apps.core.services import record_audit


@transaction.atomic
def deactivate_user(*, user: User, by: User, reason: str) -> User:
    """Ends log-in, sessions and tokens, or a guest's cookie; what is held about the person stays.

    Raises ``Conflict`` for oneself and for somebody who is out already.
    """
    if user.pk == by.pk:
        raise Conflict("Nobody deactivates themselves: ask a colleague")
    if not User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
        raise Conflict(f"{user.username} is deactivated already")
    user.is_active = False
    end_other_sessions(user=user, kept="")
    record_audit("accounts.deactivate_user", by=by, target=user, reason=reason)
    return user


@transaction.atomic
def activate_user(*, user: User, by: User, reason: str) -> User:
    """Lets somebody in again. Raises ``Conflict`` for who is in, and for a guest who became an account."""
    out = User.objects.filter(pk=user.pk, is_active=False, merged_into=None)
    if not out.update(is_active=True):
        merged = User.objects.filter(pk=user.pk, merged_into__isnull=False).exists()
        why = "is part of another account" if merged else "is active already"
        raise Conflict(f"{user.username} {why}")
    user.is_active = True
    record_audit("accounts.activate_user", by=by, target=user, reason=reason)
    return user
