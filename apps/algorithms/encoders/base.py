"""What every encoder keeps."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from apps.algorithms.matrices import unit_rows
from apps.algorithms.types import Float32

Given = TypeVar("Given", contravariant=True)
Progress = Callable[[int], None]
"""Told how many more are done."""


class EncoderRefused(ValueError):
    """An encoder cannot run, or made what no film may have. The message says what to do."""


class Encoder(Protocol[Given]):
    """One way to turn what is given of a film into a vector."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str:
        """Hexadecimal; another one whenever the same input would give other vectors.

        Reads files of weights at most, and loads no library.
        """

    @property
    def is_pointwise(self) -> bool:
        """Whether a film's vector is the same whatever stands beside it."""

    def encode(self, given: Sequence[Given], progress: Progress) -> Float32:
        """float32 ``(len(given), d)``: rows of length one, or zero where nothing is told.

        Raises ``EncoderRefused`` when a library or a file is missing or damaged, and for a vector
        that is not finite.
        """


def finite_rows(rows: npt.NDArray[np.floating], made_by: str) -> Float32:
    """The rows at length one or zero, float32.

    Raises ``EncoderRefused`` for a number that is not finite, naming ``made_by``.
    """
    broken = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(broken):
        raise EncoderRefused(
            f"The encoder {made_by} made numbers that are not finite of {len(broken)} of {len(rows)} films: "
            "its weights are damaged, copy them anew."
        )
    return unit_rows(rows)
