"""How far predicted ratings are from given ones, in stars."""

import numpy as np
import numpy.typing as npt

from apps.algorithms.types import Float64


def rmse(predicted: npt.ArrayLike, actual: npt.ArrayLike) -> float | None:
    """Root mean squared error of two aligned lists; None when they are empty.

    Raises ``ValueError`` for lists of different lengths or with values that are not finite.
    """
    errors = _errors(predicted, actual)
    return float(np.sqrt(np.mean(errors**2))) if len(errors) else None


def mae(predicted: npt.ArrayLike, actual: npt.ArrayLike) -> float | None:
    """Mean absolute error of two aligned lists; None when they are empty.

    Raises ``ValueError`` for lists of different lengths or with values that are not finite.
    """
    errors = _errors(predicted, actual)
    return float(np.mean(np.abs(errors))) if len(errors) else None


def _errors(predicted: npt.ArrayLike, actual: npt.ArrayLike) -> Float64:
    left, right = np.asarray(predicted, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    if left.ndim != 1 or left.shape != right.shape:
        raise ValueError("predicted and actual ratings must be two lists of the same length")
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        raise ValueError("predicted and actual ratings must be finite")
    return left - right
