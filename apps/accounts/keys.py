"""API keys: credentials of programs, shown once and stored as digests."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import ApiKey, User
from apps.core.errors import Conflict, CredentialsRefused, InvalidInput
from apps.core.services import record_audit

_PREFIX_LENGTH = 12


@transaction.atomic
def create_api_key(
    *, name: str, scopes: Sequence[str], expires_at: datetime | None, by: User | None
) -> tuple[ApiKey, str]:
    """The new key's row, and its text: this is the only time that anybody can read it."""
    _check_scopes(scopes)
    check_expiry(expires_at)
    text = secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name,
        prefix=text[:_PREFIX_LENGTH],
        digest=_digest(text),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    record_audit("accounts.create_api_key", by=by, target=key, after={"name": name, "scopes": key.scopes})
    return key, text


@transaction.atomic
def revoke_api_key(*, key: ApiKey, by: User | None) -> ApiKey:
    now = timezone.now()
    if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        raise Conflict(f"The key {key.name!r} is revoked already")
    key.revoked_at = now
    record_audit("accounts.revoke_api_key", by=by, target=key, before={"name": key.name})
    return key


def find_api_key(text: str) -> ApiKey:
    """The key of that text; ``CredentialsRefused`` if it is unknown, revoked or expired."""
    key = ApiKey.objects.filter(digest=_digest(text)).first()
    if key is None:
        raise CredentialsRefused("There is no such API key")
    if key.revoked_at is not None:
        raise CredentialsRefused("This API key has been revoked")
    if key.expires_at is not None and key.expires_at <= timezone.now():
        raise CredentialsRefused("This API key has expired")
    _note_use(key)
    return key


def check_expiry(expires_at: datetime | None) -> None:
    """None never expires."""
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidInput.of("/expires_at", "A key must expire in the future")


def _note_use(key: ApiKey) -> None:
    """Writes once a day, so that a busy key does not cost a write per request."""
    today = timezone.now().date()
    if key.last_used_on == today:
        return
    unnoted = Q(last_used_on=None) | Q(last_used_on__lt=today)
    ApiKey.objects.filter(unnoted, pk=key.pk).update(last_used_on=today)
    key.last_used_on = today


def _check_scopes(scopes: Sequence[str]) -> None:
    known = list(ApiKey.Scope.values)
    unknown = [scope for scope in scopes if scope not in known]
    if unknown:
        raise InvalidInput.of("/scopes", f"There is no scope {unknown[0]!r}; there are: {', '.join(known)}")
    if not scopes:
        raise InvalidInput.of("/scopes", "A key needs at least one scope")


def _digest(text: str) -> str:
    # A key has 256 random bits, so a plain hash is enough: there is nothing to guess.
    return hashlib.sha256(text.encode()).hexdigest()
