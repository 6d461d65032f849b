"""All films encoded at once, by hand."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from apps.algorithms.encoders.base import EncoderRefused, Progress
from apps.core.errors import InvalidInput, Unavailable
from apps.training.encoding import (
    Encoded,
    all_films,
    encode,
    has_posters,
    poster_encoder,
    read_posters,
    read_texts,
    text_encoder,
)
from apps.training.vectors import vector_folder

Begin = Callable[[str, int], None]
"""Told what is encoded next, and of how many films."""


@dataclass(frozen=True)
class EncodedFilms:
    """``posters`` is None where the settings ask for none."""

    encoder: str
    n_films: int
    texts: Encoded
    posters: Encoded | None
    seconds: float


def encode_catalogue(
    name: str,
    *,
    begin: Begin = lambda label, total: None,
    progress: Progress = lambda count: None,
) -> EncodedFilms:
    """The vectors of all films by the text encoder ``name`` and the settings' image encoder.

    Raises ``InvalidInput`` when one of them cannot run, ``Unavailable`` when the vectors cannot be kept.
    """
    began = time.perf_counter()
    films = all_films()
    try:
        begin("texts", len(films))
        texts = encode(text_encoder(name), read_texts(films), progress)
        posters = None
        if has_posters():
            reading = read_posters(films)
            begin("posters", len(reading.keys))
            posters = encode(poster_encoder(), reading, progress)
    except EncoderRefused as refusal:
        raise InvalidInput(str(refusal)) from refusal
    if not all(part.is_kept for part in (texts, posters) if part):
        raise Unavailable(f"The vectors cannot be kept in {vector_folder()}: make room, or set VECTOR_DIR.")
    return EncodedFilms(name, len(films), texts, posters, round(time.perf_counter() - began, 1))
