"""Writing the audit and the signs of life."""

from collections.abc import Mapping
from typing import Any, Protocol

from django.db import models
from django.utils import timezone

from apps.core.errors import InvalidInput
from apps.core.logs import current_request_id
from apps.core.models import AuditEntry, Heartbeat

MOST_REASON = 2_000


class Actor(Protocol):
    """Whoever acts: a user row."""

    @property
    def pk(self) -> Any: ...

    def get_username(self) -> str: ...


def require_reason(reason: str) -> None:
    """Raises ``InvalidInput`` where nothing is said, or what no table holds: for acts that somebody will ask
    about later.
    """
    if not reason.strip():
        raise InvalidInput.of("/reason", "Say why: it goes into the audit.")
    if len(reason) > MOST_REASON or "\0" in reason:
        raise InvalidInput.of("/reason", f"A reason is a text of up to {MOST_REASON} letters.")


def record_audit(
    action: str,
    *,
    by: Actor | None,
    target: models.Model | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Writes one entry. ``by=None`` is the system itself. Values must be JSON."""
    return AuditEntry.objects.create(
        actor_id=by.pk if by else None,
        actor_name=by.get_username() if by else "system",
        action=action,
        target_type=target._meta.label_lower if target else "",
        target_id=str(target.pk) if target else "",
        before=dict(before or {}),
        after=dict(after or {}),
        reason=reason,
        request_id=current_request_id(),
    )


def forget_actor(*, actor_id: int) -> int:
    """Takes the name off everything that a person did; what was done stays. Returns the entries."""
    return AuditEntry.objects.filter(actor_id=actor_id).update(actor_id=None, actor_name="")


def record_heartbeat(name: str) -> Heartbeat:
    """Says that ``name`` is alive now."""
    heartbeat, _ = Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now()})
    return heartbeat
