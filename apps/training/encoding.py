"""The vector of each film, by the encoders that the settings name and through the cache."""

import hashlib
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Generic, TypeVar

import numpy as np
from django.conf import settings

from apps.algorithms.encoders.base import Encoder, EncoderRefused, Progress
from apps.algorithms.encoders.combining import combine
from apps.algorithms.encoders.lsa import Lsa
from apps.algorithms.encoders.minilm import MiniLm
from apps.algorithms.encoders.posters import Posters
from apps.algorithms.types import Float32, Int64, ItemIndex
from apps.catalog.models import Movie
from apps.training.columns import CHUNK_ROWS, read_columns
from apps.training.texts import film_texts
from apps.training.vectors import Vectors, keep_vectors, read_vectors, vector_folder

logger = logging.getLogger(__name__)

Given = TypeVar("Given")
Warn = Callable[[str], None]
"""Told what a fit has to do without."""

TEXT_ENCODERS: Mapping[str, Callable[[], Encoder[str]]] = {
    "lsa": Lsa,
    "minilm": lambda: MiniLm(settings.TEXT_ENCODER_PATH),
}
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_CHUNK = 4096
"""Films between two writes of the cache: of an encoding that is interrupted, what was done stays done."""


@dataclass(frozen=True)
class Reading(Generic[Given]):
    """What encoders are given of ``n_films``: of the film at ``spots[i]`` it is ``given[i]``, whose SHA-256
    is ``keys[i]``."""

    n_films: int
    spots: Int64
    given: Sequence[Given]
    keys: Sequence[bytes]

    def place(self, known: Vectors) -> Float32:
        """float32 ``(n_films, d)``; zeros for a film of which no vector is known."""
        placed = np.zeros((self.n_films, known.rows.shape[1]), dtype=np.float32)
        found = [
            (spot, known.spots[key])
            for spot, key in zip(self.spots, self.keys, strict=True)
            if key in known.spots
        ]
        if found:
            films, rows = zip(*found, strict=True)
            placed[list(films)] = known.rows[list(rows)]
        return placed


@dataclass(frozen=True)
class Encoded:
    """``vectors`` is float32 ``(n_films, d)``; ``n_read`` films had something to read, of which ``n_new``
    were not in the cache. ``is_kept`` is False where the disk refused it."""

    vectors: Float32
    n_read: int
    n_new: int
    is_kept: bool


def log_warning(sentence: str) -> None:
    logger.warning("encoder_refused reason=%s", sentence)


def text_encoder(name: str) -> Encoder[str]:
    """Raises ``EncoderRefused`` for a name that there is not."""
    if name not in TEXT_ENCODERS:
        raise EncoderRefused(
            f"There is no text encoder {name!r}: set TEXT_ENCODER to {' or '.join(TEXT_ENCODERS)}."
        )
    return TEXT_ENCODERS[name]()


def poster_encoder() -> Encoder[Path]:
    """For where ``has_posters``."""
    return Posters(Path(str(settings.POSTER_ENCODER_PATH)))


def has_posters() -> bool:
    """Whether the settings ask for posters to be looked at."""
    return bool(settings.POSTER_ENCODER_PATH and settings.POSTER_DIR)


def all_films() -> ItemIndex:
    """Every film, hidden ones too: what looks at all films together sees the same ones, whoever asks."""
    (ids,) = read_columns(Movie.objects.order_by("id").values_list("id").iterator(CHUNK_ROWS), (np.int64,))
    return ItemIndex(ids)


def read_texts(films: ItemIndex) -> Reading[str]:
    texts = film_texts(films)
    keys = [hashlib.sha256(text.encode()).digest() for text in texts]
    return Reading(len(films), np.arange(len(films)), texts, keys)


def read_posters(films: ItemIndex) -> Reading[Path]:
    """The image of each film that has one in ``POSTER_DIR``: named as at the end of its poster path, else
    by the film's id. A file that cannot be read counts as none; a folder raises ``EncoderRefused``."""
    folder = Path(str(settings.POSTER_DIR))
    names = _list_folder(folder)
    paths = dict(Movie.objects.order_by().values_list("id", "poster_path").iterator(CHUNK_ROWS))
    found: list[tuple[int, Path, bytes]] = []
    for spot, movie in enumerate(films.ids.tolist()):
        asked = (PurePosixPath(paths.get(movie, "")).name, *(f"{movie}{suffix}" for suffix in IMAGE_SUFFIXES))
        file = next((folder / name for name in asked if name in names), None)
        key = _hash_file(file) if file else None
        if file and key:
            found.append((spot, file, key))
    return Reading(
        len(films),
        np.array([spot for spot, _, _ in found], dtype=np.int64),
        [file for _, file, _ in found],
        [key for _, _, key in found],
    )


def encode(encoder: Encoder[Given], reading: Reading[Given], progress: Progress) -> Encoded:
    """The vectors of all films, those that are not in the cache encoded and kept there.

    Raises ``EncoderRefused``; what was encoded before stays in the cache.
    """
    fingerprint = _fingerprint(encoder, reading)
    known = read_vectors(encoder.name, fingerprint)
    new = {
        key: given for key, given in zip(reading.keys, reading.given, strict=True) if key not in known.spots
    }
    progress(len(reading.keys) - len(new))
    n_new, is_kept = sum(key in new for key in reading.keys), True
    size = _CHUNK if encoder.is_pointwise else max(len(new), 1)
    for start in range(0, len(new), size):
        keys = list(new)[start : start + size]
        rows = encoder.encode([new[key] for key in keys], progress)
        known = _joined(known, set(reading.keys), keys, rows)
        is_kept = _keep(encoder.name, fingerprint, known)
    return Encoded(reading.place(known), len(reading.keys), n_new, is_kept)


def read_film_vectors(items: ItemIndex, warn: Warn) -> Float32:
    """Unit rows of ``items``, float32 ``(n_items, d)``; what is new or changed is encoded.

    An encoder that cannot run stops no fit: ``warn`` is told, and films keep the vectors that were made
    before of what is still the same. Where posters cannot be read, films go by their texts.
    """
    films, name = all_films(), settings.TEXT_ENCODER
    rows = _tolerant(films, name, find=lambda: text_encoder(name), read=read_texts, warn=warn)
    if has_posters():
        looks = _tolerant(films, Posters.name, find=poster_encoder, read=read_posters, warn=warn)
        rows = combine(rows, looks, settings.POSTER_WEIGHT)
    return np.ascontiguousarray(rows[films.indices(items.ids)])


def _tolerant(
    films: ItemIndex,
    name: str,
    *,
    find: Callable[[], Encoder[Given]],
    read: Callable[[ItemIndex], Reading[Given]],
    warn: Warn,
) -> Float32:
    reading: Reading[Given] | None = None
    try:
        reading = read(films)
        return encode(find(), reading, lambda count: None).vectors
    except EncoderRefused as refusal:
        warn(f"Films that are new or changed have no vectors of {name}. {refusal}")
    if reading is None:  # nothing tells which vectors are still right
        return np.zeros((len(films), 0), dtype=np.float32)
    return reading.place(read_vectors(name))


def _fingerprint(encoder: Encoder[Given], reading: Reading[Given]) -> str:
    """What looks at all films together makes other vectors for other films."""
    if encoder.is_pointwise:
        return encoder.fingerprint
    return hashlib.sha256(encoder.fingerprint.encode() + b"".join(reading.keys)).hexdigest()


def _joined(known: Vectors, used: set[bytes], keys: Sequence[bytes], rows: Float32) -> Vectors:
    """``rows`` after those of ``known`` that are still used."""
    old = [key for key in known.spots if key in used]
    spots = {key: spot for spot, key in enumerate([*old, *keys])}
    return Vectors(spots, np.vstack([known.rows[[known.spots[key] for key in old]], rows]) if old else rows)


def _keep(name: str, fingerprint: str, known: Vectors) -> bool:
    try:
        keep_vectors(name, fingerprint, list(known.spots), known.rows)
    except OSError as error:
        logger.warning("vectors_not_kept folder=%s error=%s", vector_folder(), error)
        return False
    return True


def _list_folder(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise EncoderRefused(f"POSTER_DIR names {folder}, and there is no such folder.") from error
    except OSError as error:
        raise EncoderRefused(f"POSTER_DIR names {folder}, which cannot be read: {error.strerror}.") from error


def _hash_file(file: Path) -> bytes | None:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError as error:
        logger.warning("poster_not_read file=%s error=%s", file, error.strerror)
        return None
