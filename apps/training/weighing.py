"""What each interaction counts: its source's weight, and how likely it was that a list led to it."""

import numpy as np

from apps.algorithms.types import NOBODY, Bool, Float32, Float64
from apps.training.data import DataParameters
from apps.training.rows import Said
from apps.training.sources import source_weights


def weigh(said: Said, data: DataParameters, mean_inverse: float) -> Float32 | None:
    """float32 ``(len(said),)``; None where all count 1.

    A source's weight, and with ``data.inverse_propensity``, where an arm got the slot with a known
    probability ``p``, that times ``min(1 / p, cap) / mean_inverse``: inverse-propensity scoring (Schnabel et
    al., "Recommendations as Treatments", ICML 2016, eq. 4), clipped and self-normalised (Swaminathan and
    Joachims, "The Self-Normalized Estimator for Counterfactual Learning", NIPS 2015).
    """
    weights = np.ones(len(said), dtype=np.float32)
    if said.sources is not None:
        by_source = np.array(list(source_weights(data).values()), dtype=np.float32)
        weights *= by_source[said.sources]
    if data.inverse_propensity and said.shown_by is not None:
        known = _is_known(said)
        weights[known] *= (_inverse(said, known, data) / mean_inverse).astype(np.float32)
    return None if bool((weights == 1).all()) else weights


def mean_inverse_of(said: Said, data: DataParameters) -> float:
    """The mean of ``min(1 / p, cap)`` over what came from a list: divided by it, that has the mean weight 1.

    1 where nothing did. An update keeps that of the fit before it, else each rating would move the weights of
    all people; the next full retrain works it out anew.
    """
    if not data.inverse_propensity or said.shown_by is None:
        return 1.0
    known = _is_known(said)
    return float(_inverse(said, known, data).mean()) if known.any() else 1.0


def _is_known(said: Said) -> Bool:
    propensities = said.column("propensities")
    known: Bool = (said.column("shown_by") != NOBODY) & (propensities > 0)
    return known


def _inverse(said: Said, known: Bool, data: DataParameters) -> Float64:
    propensities = said.column("propensities")[known].astype(np.float64)
    return np.minimum(1.0 / propensities, data.propensity_cap)
