"""What this room holds about a person, for the privacy registry."""

from collections.abc import Iterator

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db.models import F, QuerySet
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
    """Not the password: what is kept of it opens nothing for its owner, and may be guessed at."""
    columns = (
        "id username email first_name last_name timezone is_guest is_imported is_simulated is_active "
        "is_staff is_superuser merged_into_id unit_key date_joined last_login"
    )
    groups = [group.name for group in user.groups.order_by("name")]
    rights = sorted(f"{one.content_type.app_label}.{one.codename}" for one in _rights_of(user))
    own = {name: getattr(user, name) for name in columns.split()}
    yield own | {"groups": groups, "permissions": rights}


def _rights_of(user: User) -> QuerySet[Permission]:
    return user.user_permissions.select_related("content_type")


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
    """Not the tokens themselves: each opens the account."""
    tokens = OutstandingToken.objects.filter(user=user).order_by("id")
    ended = tokens.annotate(ended_at=F("blacklistedtoken__blacklisted_at"))
    yield from ended.values("jti", "created_at", "expires_at", "ended_at").iterator()


def _erase_tokens(user: User) -> None:
    OutstandingToken.objects.filter(user=user).delete()


def _export_audit(user: User) -> Iterator[Row]:
    """What the person did; not the values of before and after, which may be somebody else's."""
    entries = AuditEntry.objects.filter(actor_id=user.pk).order_by("id")
    yield from entries.values("at", "action", "target_type", "target_id", "reason").iterator()
    for entry in LogEntry.objects.filter(user=user).order_by("id").iterator():
        yield {"at": entry.action_time, "action": str(entry), "target_id": entry.object_id}


def _erase_audit(user: User) -> None:
    """The user's name stays neither as who acted nor as who was acted on."""
    forget_actor(actor_id=user.pk)
    about = LogEntry.objects.filter(content_type__app_label="accounts", content_type__model="user")
    about.filter(object_id=str(user.pk)).update(object_repr="an erased user")
