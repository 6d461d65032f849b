"""Texts as plain arrays, which map into memory like all others."""

from collections.abc import Sequence

import numpy as np

from apps.algorithms.types import Arrays


def pack_texts(name: str, texts: Sequence[str]) -> Arrays:
    """``name_bytes``: uint8, all texts in UTF-8. ``name_ends``: int64 ``(len(texts),)``, where each ends."""
    encoded = [text.encode() for text in texts]
    return {
        f"{name}_bytes": np.frombuffer(b"".join(encoded), dtype=np.uint8),
        f"{name}_ends": np.cumsum([len(one) for one in encoded], dtype=np.int64),
    }


def text_at(name: str, arrays: Arrays, spot: int) -> str:
    """One of the texts that ``pack_texts`` packed; nothing else of them is read."""
    ends = arrays[f"{name}_ends"]
    start = int(ends[spot - 1]) if spot else 0
    return bytes(arrays[f"{name}_bytes"][start : int(ends[spot])]).decode()
