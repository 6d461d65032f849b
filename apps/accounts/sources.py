"""What this room holds about a person, for the privacy registry."""

from collections.abc import Iterator

from django.contrib.admin.models import LogEntry
from django.db.models import F
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from apps.accounts.models import Session, User
from apps.accounts.privacy import DataSource, Row, register_source
from apps.core.models import AuditEntry
from apps.core.services import forget_actor


def register_sources() -> None:
    register_source(DataSource("profile", _export_profile, _erase_profile, _merge_profile))
    register_source(DataSource("sessions", _export_sessions, _erase_sessions))
    register_source(DataSource("tokens", _export_tokens, _erase_tokens))
    register_source(DataSource("audit", _export_audit, _erase_audit))


def _export_profile(user: User) -> Iterator[Row]:
    columns = "id username email first_name last_name timezone is_guest unit_key date_joined last_login"
    yield {name: getattr(user, name) for name in columns.split()}


def _erase_profile(user: User) -> None:
    """Takes what hangs on the row; the row itself goes last of all."""
    user.groups.clear()
    user.user_permissions.clear()


def _merge_profile(guest: User, into: User) -> None:
    if guest.timezone and not into.timezone:
        into.timezone = guest.timezone
        into.save(update_fields=["timezone"])


def _export_sessions(user: User) -> Iterator[Row]:
    """Not the keys: each opens its session."""
    rows = Session.objects.of(user).order_by("began_at").annotate(expires_at=F("expire_date"))
    yield from rows.values("device", "began_at", "seen_at", "expires_at").iterator()


def _erase_sessions(user: User) -> None:
    Session.objects.of(user).delete()


def _export_tokens(user: User) -> Iterator[Row]:
    tokens = OutstandingToken.objects.filter(user=user).order_by("id")
    yield from tokens.values("jti", "created_at", "expires_at").iterator()


def _erase_tokens(user: User) -> None:
    OutstandingToken.objects.filter(user=user).delete()


def _export_audit(user: User) -> Iterator[Row]:
    entries = AuditEntry.objects.filter(actor_id=user.pk).order_by("id")
    yield from entries.values("at", "action", "target_type", "target_id", "reason").iterator()
    for entry in LogEntry.objects.filter(user=user).order_by("id").iterator():
        yield {"at": entry.action_time, "action": str(entry), "target_id": entry.object_id}


def _erase_audit(user: User) -> None:
    """The user's name stays neither as who acted nor as who was acted on."""
    forget_actor(actor_id=user.pk)
    about = LogEntry.objects.filter(content_type__app_label="accounts", content_type__model="user")
    about.filter(object_id=str(user.pk)).update(object_repr="an erased user")
