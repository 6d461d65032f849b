"""Vectors that encoders made, kept by what they were made of.

Each encoder has one folder of the form of an artifact below ``vector_folder()``: ``keys`` holds the hashes
of what was read and ``vectors`` a row for each. A write makes a new folder and then removes the one
before, so that a reader finds a whole one or none; whatever is not whole is as good as none.
"""

import logging
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
from django.conf import settings

from apps.algorithms.types import Float32
from apps.training.artifacts import (
    MANIFEST,
    Artifact,
    ArtifactRefused,
    discard_artifact,
    open_artifact,
    save_artifact,
    verify_artifact,
)

logger = logging.getLogger(__name__)

KEY_BYTES = 32
_GROUP = "films"
_STALE_SECONDS = 3600
"""What a write began and did not finish in this time was interrupted."""


@dataclass(frozen=True)
class Vectors:
    """``rows`` is float32 ``(n, d)``; ``spots`` says which row belongs to a key."""

    spots: Mapping[bytes, int]
    rows: Float32

    @classmethod
    def none(cls) -> "Vectors":
        return cls({}, np.zeros((0, 0), dtype=np.float32))


def vector_folder() -> Path:
    """``VECTOR_DIR``, else the folder beside that of the model files."""
    if settings.VECTOR_DIR:
        return Path(settings.VECTOR_DIR)
    models = Path(settings.ARTIFACT_DIR)
    return models.with_name(f"{models.name}-vectors")


def read_vectors(encoder: str, fingerprint: str | None = None) -> Vectors:
    """What ``encoder`` made under this fingerprint; None takes the newest, whatever it was made by.

    A folder that is damaged or of another form is passed over, with a line in the log.
    """
    for folder in _folders(encoder):
        try:
            artifact = open_artifact(folder)
            if fingerprint is None or artifact.about.get("fingerprint") == fingerprint:
                verify_artifact(folder)
                return _vectors(artifact)
        except (ArtifactRefused, OSError, KeyError, TypeError, AttributeError, ValueError) as refusal:
            logger.warning("vectors_refused folder=%s reason=%s", folder, refusal)
    return Vectors.none()


def keep_vectors(encoder: str, fingerprint: str, keys: Sequence[bytes], rows: Float32) -> None:
    """Keeps these and nothing else of ``encoder``. Raises ``OSError`` when the disk refuses."""
    before = list(_folders(encoder))
    packed = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), KEY_BYTES)
    save_artifact(
        vector_folder() / f"{encoder}-{uuid4().hex}",
        {_GROUP: {"keys": packed, "vectors": rows}},
        {"encoder": encoder, "fingerprint": fingerprint},
    )
    for folder in before:
        discard_artifact(folder)
    _remove_interrupted()


def _folders(encoder: str) -> Iterator[Path]:
    """Newest first."""
    found = [(changed, manifest.parent) for changed, manifest in _changed(f"{encoder}-*/{MANIFEST}")]
    return (folder for _, folder in sorted(found, reverse=True))


def _changed(pattern: str) -> Iterator[tuple[float, Path]]:
    """Seconds since 1970 and path of all that match; none in a folder that cannot be looked into."""
    found: list[Path] = []
    with suppress(OSError):
        found = list(vector_folder().glob(pattern))
    for path in found:
        # Another process may just have removed it.
        with suppress(OSError):
            yield path.stat().st_mtime, path


def _remove_interrupted() -> None:
    for changed, partial in _changed(".partial-*"):
        if changed < time.time() - _STALE_SECONDS:
            shutil.rmtree(partial, ignore_errors=True)


def _vectors(artifact: Artifact) -> Vectors:
    """Raises ``ArtifactRefused`` for arrays that are no keys and vectors."""
    keys, rows = artifact.groups[_GROUP]["keys"], artifact.groups[_GROUP]["vectors"]
    is_right = keys.dtype == np.uint8 and keys.shape == (len(rows), KEY_BYTES)
    if not (is_right and rows.dtype == np.float32 and rows.ndim == 2 and np.isfinite(rows).all()):
        raise ArtifactRefused("altered", f"{artifact.path} holds no vectors of films.")
    return Vectors({key.tobytes(): spot for spot, key in enumerate(keys)}, rows)
