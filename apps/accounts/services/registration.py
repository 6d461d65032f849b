"""Signing up."""

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.accounts.services.rules import (
    check_new_password,
    checked_email,
    checked_username,
    username_taken,
)
from apps.core.errors import Conflict
from apps.core.rates import enforce


@transaction.atomic
def register_account(*, username: str, password: str, email: str, guest: User | None, address: str) -> User:
    """The new account. A guest's row becomes the account: same id, same unit, same history."""
    enforce("login_address", address, refusal="Too many sign-ups from this address")
    username, email = checked_username(username), checked_email(email)
    check_new_password(password, user=User(username=username, email=email))
    if User.objects.named(username).exists():
        raise username_taken(username)
    values = {"username": username, "email": email, "password": make_password(password)}
    try:
        with transaction.atomic():
            return _claim(guest, values) if guest else User.objects.create(**values)
    except IntegrityError:  # somebody took the name between the look and the write
        raise username_taken(username) from None


def _claim(guest: User, values: dict[str, str]) -> User:
    free = User.objects.filter(pk=guest.pk, is_guest=True, is_active=True, merged_into=None)
    if not free.update(is_guest=False, **values):
        raise Conflict("This guest has an account already: log in")
    guest.refresh_from_db()
    return guest
