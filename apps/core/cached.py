"""A value that each process keeps for a moment."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from django.conf import settings

from apps.core import clock

Value = TypeVar("Value")


class Brief(Generic[Value]):
    """What ``load`` returned at most ``settings.VERSION_TTL_SECONDS`` ago.

    One thread reloads at a time; the others go on with the old value meanwhile, and wait only
    when there is none yet.
    """

    def __init__(self, load: Callable[[], Value]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._held: tuple[Value] | None = None
        self._until: clock.Deadline | None = None

    def get(self) -> Value:
        held = self._held
        if held is not None and not self._is_old:
            return held[0]
        if not self._lock.acquire(blocking=held is None):
            return held[0] if held is not None else self.get()
        try:
            return self._reload()
        finally:
            self._lock.release()

    def forget(self) -> None:
        """The next ``get`` loads anew: for the process that changed the value, and for tests."""
        self._until = None

    @property
    def _is_old(self) -> bool:
        until = self._until
        return until is None or until.is_past

    def _reload(self) -> Value:
        if self._held is None or self._is_old:
            value = self._load()
            self._held = (value,)
            self._until = clock.deadline(settings.VERSION_TTL_SECONDS)
            return value
        return self._held[0]
