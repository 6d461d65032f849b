"""The engine of each recipe in this process, swapped by one reference when a new version goes live.

A version's arms never change: a request that took an engine keeps it to its end.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import connection

from apps.core import telemetry
from apps.training.artifacts import Artifact, ArtifactRefused, open_artifact, verify_artifact
from apps.training.engines import Engine, unpack_engine

__all__ = ["Engine", "Refusal", "Stored", "engine", "load_engine", "refusal_of", "reset"]

logger = logging.getLogger(__name__)

RETRY_SECONDS = 30.0
"""How long a version that could not be loaded is left alone; a shared volume may lag behind."""
N_FALLBACKS = 5

_LIVE = """
SELECT v.name, v.artifact, v.manifest_sha256 FROM model_versions v
JOIN recipes r ON r.id = v.recipe_id WHERE r.name = %s AND v.status = 'live'
"""
_BEFORE = """
SELECT v.name, v.artifact, v.manifest_sha256 FROM model_versions v
JOIN recipes r ON r.id = v.recipe_id
WHERE r.name = %s AND v.status = 'retired' AND v.artifact <> '' ORDER BY v.activated_at DESC LIMIT %s
"""


@dataclass(frozen=True)
class Stored:
    """Where a version's files are, as its row says."""

    version: str
    artifact: str
    manifest_sha256: str

    @property
    def path(self) -> Path:
        return Path(settings.ARTIFACT_DIR) / self.artifact


@dataclass(frozen=True)
class Refusal:
    """Why this process could not load a version. ``reason`` is one word, ``detail`` names the file."""

    reason: str
    detail: str
    retry_at: float


def engine(recipe: str = "standard") -> Engine | None:
    """The engine of the recipe's live version; None when there is none or none can be loaded.

    Never raises. A change is seen within ``settings.VERSION_TTL_SECONDS``: one SELECT every half of
    that, else no cost. The version before serves while a new one is read and verified in a thread of
    its own; only the first load of a process is waited for. With a delay of 0 the caller loads, so a
    change is seen at once.
    """
    with _slots_lock:
        slot = _slots.setdefault(recipe, _Slot(recipe))
    return slot.current()


def refusal_of(version: str, *, recipe: str) -> Refusal | None:
    """Why this process does not serve the version although it tried; None when it did not try, or does."""
    with _slots_lock:
        slot = _slots.get(recipe)
    return slot.refusal_of(version) if slot else None


def load_engine(stored: Stored, *, recipe: str) -> Engine:
    """Reads and verifies a version. Raises ``ArtifactRefused``."""
    return load_version(stored, recipe=recipe)[1]


def load_version(stored: Stored, *, recipe: str) -> tuple[Artifact, Engine]:
    """As ``load_engine``, and the files that the engine is made of."""
    artifact = open_artifact(stored.path, stored.manifest_sha256)
    verify_artifact(stored.path)
    try:
        return artifact, unpack_engine(artifact, version=stored.version, recipe=recipe)
    except (KeyError, ValueError, TypeError) as error:
        # Whole files of a program that knew other arms or arrays than this one.
        detail = f"{stored.path} was written by a program that this one does not understand: {error}."
        raise ArtifactRefused("format", detail) from error


def reset() -> None:
    """Forget everything loaded: for tests, and for a process that has just forked."""
    with _slots_lock:
        _slots.clear()


@dataclass(frozen=True)
class _Serving:
    """What serves, and the row that it was loaded from."""

    stored: Stored | None = None
    engine: Engine | None = None


class _Slot:
    """One recipe's engine and when it was last compared with the database."""

    def __init__(self, recipe: str) -> None:
        self._recipe = recipe
        self._serving = _Serving()
        self._is_settled = False
        self._next_check = 0.0
        self._lock = threading.Lock()
        self._loader: threading.Thread | None = None
        self._refused: dict[Stored, Refusal] = {}

    def current(self) -> Engine | None:
        if self._is_settled and time.monotonic() < self._next_check:
            return self._serving.engine
        # Whoever finds the lock taken is served by the engine at hand, once there has been a look.
        if not self._lock.acquire(blocking=not self._is_settled):
            return self._serving.engine
        try:
            if not self._is_settled or time.monotonic() >= self._next_check:
                self._check()
        finally:
            self._lock.release()
        return self._serving.engine

    def refusal_of(self, version: str) -> Refusal | None:
        # A copy: the thread that loads adds to it and takes from it.
        refused = dict(self._refused)
        return next((why for stored, why in refused.items() if stored.version == version), None)

    def _check(self) -> None:
        try:
            self._follow(_query(_LIVE, self._recipe))
        except DatabaseFailure:
            logger.exception("version_check_failed recipe=%s", self._recipe)
        # Half the delay, so that what is left suffices to load.
        self._next_check = time.monotonic() + settings.VERSION_TTL_SECONDS / 2
        self._is_settled = True

    def _follow(self, live: Sequence[Stored]) -> None:
        if self._loader and self._loader.is_alive():
            return
        if not live:
            self._serving = _Serving()
        elif self._serving.stored != live[0]:
            self._catch_up(live)

    def _catch_up(self, live: Sequence[Stored]) -> None:
        is_first = self._serving.engine is None
        before = _query(_BEFORE, self._recipe, N_FALLBACKS) if is_first else []
        candidates = [stored for stored in (*live, *before) if self._may_try(stored)]
        if is_first or settings.VERSION_TTL_SECONDS == 0:
            self._load(candidates)
        elif candidates:
            self._loader = threading.Thread(
                target=self._load, args=(candidates,), name=f"load-{self._recipe}", daemon=True
            )
            self._loader.start()

    def _may_try(self, stored: Stored) -> bool:
        refused = self._refused.get(stored)
        return refused is None or time.monotonic() >= refused.retry_at

    def _load(self, candidates: Sequence[Stored]) -> None:
        """Serves the first candidate that loads; the engine at hand stays if none does."""
        for stored in candidates:
            try:
                loaded = load_engine(stored, recipe=self._recipe)
            except ArtifactRefused as refusal:
                self._refuse(stored, refusal.reason, str(refusal))
            except Exception as error:  # noqa: BLE001 - whatever a file does to the loader; logged by _refuse
                self._refuse(stored, "failed", f"{type(error).__name__}: {error}")
            else:
                self._refused.pop(stored, None)
                self._serving = _Serving(stored, loaded)
                logger.info("version_serves recipe=%s version=%s", self._recipe, stored.version)
                return

    def _refuse(self, stored: Stored, reason: str, detail: str) -> None:
        """Called while an exception is handled."""
        self._refused[stored] = Refusal(reason, detail, time.monotonic() + RETRY_SECONDS)
        telemetry.artifact_failures.labels(reason=reason).inc()
        logger.exception(
            "version_refused recipe=%s version=%s reason=%s serving=%s",
            self._recipe,
            stored.version,
            reason,
            self._serving.stored.version if self._serving.stored else "none",
        )


def _query(sql: str, *parameters: str | int) -> list[Stored]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [Stored(*row) for row in cursor.fetchall()]


_slots: dict[str, _Slot] = {}
_slots_lock = threading.Lock()
