"""How far predicted ratings are from those held back."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from apps.algorithms.evaluation.comparing import Difference, difference, resample
from apps.algorithms.evaluation.reports import Mean
from apps.algorithms.prediction import RatingPredictor
from apps.algorithms.types import Float64, Interactions


@dataclass(frozen=True)
class Accuracy:
    """Errors in stars over ``n`` held-back ratings of ``n_users`` people; None where there are none."""

    n: int
    n_users: int
    rmse: Mean | None
    mae: Mean | None


def prediction_errors(
    predictor: RatingPredictor,
    train: Interactions,
    test: Interactions,
    people: Sequence[int] | None = None,
) -> list[Float64]:
    """Predicted less given stars of each row of ``test`` that has any, float64, from ``train`` alone.

    ``people`` are the rows to take, in that order. People without a rating in ``train`` are predicted too,
    by the films' biases.
    """
    errors = []
    rated = np.flatnonzero(np.diff(test.ratings.indptr)).tolist()
    for user in rated if people is None else people:
        row = slice(test.ratings.indptr[user], test.ratings.indptr[user + 1])
        films = test.ratings.indices[row].astype(np.int64)
        errors.append(
            predictor.predict(train.history(user), films).astype(np.float64) - test.ratings.data[row]
        )
    return errors


def accuracy(errors: Sequence[Float64]) -> Accuracy:
    """RMSE and MAE over all ratings, with standard errors clustered by person.

    ``errors`` holds one array of errors in stars per person. A mean over ratings is a ratio of sums
    over people, whose variance is that of ``sum_u - mean * n_u`` (Cochran 1977, section 6.3); for the
    root the delta method halves it over the RMSE.
    """
    sizes = np.array([len(one) for one in errors], dtype=np.float64)
    squares = _ratio(np.array([float(one @ one) for one in errors]), sizes)
    absolute = _ratio(np.array([float(np.abs(one).sum()) for one in errors]), sizes)
    return Accuracy(n=int(sizes.sum()), n_users=len(errors), rmse=_root(squares), mae=absolute)


def compare_predictions(
    a: Sequence[Float64], b: Sequence[Float64], rng: np.random.Generator
) -> Difference | None:
    """RMSE of ``b`` less that of ``a``, by the paired bootstrap over people; None without people.

    Both hold one array of errors in stars per person, of the same ratings. Intervals as those of
    ``compare``. Raises ``ValueError`` when the two are of other ratings.
    """
    sizes = np.array([len(one) for one in a], dtype=np.float64)
    if not np.array_equal(sizes, [len(one) for one in b]):
        raise ValueError("only errors of the same ratings can be compared")
    if len(sizes) == 0:
        return None
    squares = [[float(one @ one) for one in errors] for errors in (a, b)]
    columns = np.column_stack([*squares, sizes])

    def gain(means: Float64) -> Float64:
        before, after = np.sqrt(means[:, 0] / means[:, 2]), np.sqrt(means[:, 1] / means[:, 2])
        return np.asarray(after - before, dtype=np.float64)

    return difference(float(gain(columns.mean(axis=0)[None])[0]), gain(resample(columns, rng)))


def _ratio(sums: Float64, sizes: Float64) -> Mean | None:
    total, people = float(sizes.sum()), len(sizes)
    if total == 0:
        return None
    value = float(sums.sum()) / total
    if people < 2:
        return Mean(value, None)
    residuals = sums - value * sizes
    return Mean(value, float(np.sqrt(people / (people - 1) * float(residuals @ residuals)) / total))


def _root(squares: Mean | None) -> Mean | None:
    if squares is None:
        return None
    value = float(np.sqrt(squares.value))
    if squares.error is None or value == 0:
        return Mean(value, squares.error)
    return Mean(value, squares.error / (2 * value))
