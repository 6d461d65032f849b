"""What a slate was made from, in a few bytes a film, so that it can be made again.

A viewer's whole history is stored with every slate; as JSON it would outweigh all the rest of the row.
"""

import zlib
from collections.abc import Sequence

import numpy as np

_HISTORY = np.dtype([("movie_id", "<u4"), ("half_stars", "u1")])
_IDS = np.dtype("<u4")


def pack_history(movie_ids: Sequence[int], stars: Sequence[float]) -> bytes:
    """Film ids (below 2^32) and stars (multiples of 0.5), in order; five bytes each before zlib.

    Raises ``ValueError`` when the two differ in length.
    """
    if len(movie_ids) != len(stars):
        raise ValueError("a history needs one rating for each film")
    rows = np.empty(len(movie_ids), dtype=_HISTORY)
    rows["movie_id"] = movie_ids
    rows["half_stars"] = np.rint(np.asarray(stars, dtype=np.float64) * 2)
    return zlib.compress(rows.tobytes(), 1) if len(rows) else b""


def unpack_history(packed: bytes) -> list[tuple[int, float]]:
    """(film id, stars) in the order they were packed."""
    if not packed:
        return []
    rows = np.frombuffer(zlib.decompress(packed), dtype=_HISTORY)
    return [(int(row["movie_id"]), int(row["half_stars"]) / 2) for row in rows]


def pack_ids(movie_ids: Sequence[int]) -> bytes:
    ids = np.asarray(movie_ids, dtype=_IDS)
    return zlib.compress(ids.tobytes(), 1) if len(ids) else b""


def unpack_ids(packed: bytes) -> list[int]:
    return np.frombuffer(zlib.decompress(packed), dtype=_IDS).tolist() if packed else []
