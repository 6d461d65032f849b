"""Guests: visitors who have a row, but no account."""

import secrets
import uuid

from django.contrib.auth.hashers import make_password
from django.db import transaction

from apps.accounts.models import User
from apps.accounts.privacy import registered_sources
from apps.core.errors import Conflict
from apps.core.rates import enforce

GUEST_PREFIX = "guest-"


def ensure_guest(*, unit_key: uuid.UUID, address: str) -> User:
    """The guest's row of that unit, made now if there is none; ``TooMany`` by address.

    A key that an account has claimed opens nothing: the answer is then a new guest with a new key,
    which the caller must hand to the browser (``acting_user_or_new_guest`` does).
    """
    owner = User.objects.filter(unit_key=unit_key).first()
    if owner is not None and owner.is_current_guest:
        return owner
    enforce("new_guest", address, refusal="Too many new visitors from this address")
    return _create_guest(unit_key if owner is None else uuid.uuid4())


@transaction.atomic
def merge_guest(*, guest: User, into: User) -> User:
    """Moves the guest's lasting preferences to the account, whose own win. Doing it twice is once."""
    if not into.has_account:
        raise Conflict("A guest can be merged only into an account")
    free = User.objects.filter(pk=guest.pk, is_guest=True, merged_into=None)
    if not free.update(merged_into=into, is_active=False):
        if User.objects.filter(pk=guest.pk, merged_into=into).exists():
            return into
        raise Conflict("This is no guest, or one that went over to another account")
    guest.merged_into, guest.is_active = into, False
    for source in registered_sources():
        if source.merge is not None:
            source.merge(guest, into)
    return into


def _create_guest(unit_key: uuid.UUID) -> User:
    guest, _ = User.objects.get_or_create(
        unit_key=unit_key,
        defaults={
            "username": f"{GUEST_PREFIX}{secrets.token_hex(8)}",
            "password": make_password(None),
            "is_guest": True,
        },
    )
    return guest
