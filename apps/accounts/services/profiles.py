"""What people say about themselves."""

from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.accounts.services.rules import checked_email, checked_timezone, checked_username, username_taken
from apps.core.errors import InvalidInput


def update_profile(
    *, user: User, timezone: str | None = None, email: str | None = None, username: str | None = None
) -> User:
    """Changes what is given; None leaves a value as it is. A guest has a time zone alone."""
    changed: dict[str, str] = {}
    if timezone is not None:
        changed["timezone"] = checked_timezone(timezone)
    if email is not None:
        _require_account(user, "/email", "A guest has no email address: sign up first")
        changed["email"] = checked_email(email)
    if username is not None:
        _require_account(user, "/username", "A guest has no username: sign up first")
        changed["username"] = _free_username(user, username)
    return _save(user, changed)


def _require_account(user: User, pointer: str, sentence: str) -> None:
    if not user.has_account:
        raise InvalidInput.of(pointer, sentence)


def _free_username(user: User, username: str) -> str:
    """Their own name may change its case."""
    username = checked_username(username)
    if User.objects.named(username).exclude(pk=user.pk).exists():
        raise username_taken(username)
    return username


def _save(user: User, changed: dict[str, str]) -> User:
    before = {name: getattr(user, name) for name in changed}
    _assign(user, changed)
    try:
        with transaction.atomic():
            user.save(update_fields=list(changed))
    except IntegrityError:  # somebody took the name between the look and the write
        _assign(user, before)
        raise username_taken(changed["username"]) from None
    return user


def _assign(user: User, values: dict[str, str]) -> None:
    for name, value in values.items():
        setattr(user, name, value)
