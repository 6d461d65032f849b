"""The session engine: Django's own in the database, in rows that say whose they are."""

from datetime import timedelta
from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.devices import device_of
from apps.accounts.models import Session

SEEN_EVERY = timedelta(minutes=10)


class SessionStore(DatabaseStore):
    """``row`` is what was read of the session in this request; None for a new one."""

    row: Session | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def load(self) -> dict[str, Any]:
        self.row = Session.objects.open().filter(session_key=self.session_key).first()
        if self.row is None:
            self._session_key = None
            return {}
        return self.decode(self.row.session_data)

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        session = cast(Session, super().create_model_instance(data))
        session.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        return session


def note_seen(request: HttpRequest) -> None:
    """Keeps from what device a signed-in session is used, and when last: a write every ten minutes."""
    row: Session | None = getattr(request.session, "row", None)
    if row is None or row.user_id is None or row.session_key != request.session.session_key:
        return
    now, device = timezone.now(), device_of(request.headers.get("User-Agent", ""))
    if row.device != device or now - row.seen_at >= SEEN_EVERY:
        Session.objects.filter(pk=row.pk).update(device=device, seen_at=now)
