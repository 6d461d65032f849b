"""What experiments, and the drift of what the models learnt from, are read with.

Inputs are sums over units, results frozen dataclasses. A unit is whatever was assigned, so that what one
viewer does many times never counts as many.
"""

from apps.algorithms.statistics.bayes import Chance, chance_to_beat
from apps.algorithms.statistics.drift import DRIFTED, Stability, design_effect, psi
from apps.algorithms.statistics.effects import AdjustedEffect, ChiSquare, chi_square, cuped, ratio, welch
from apps.algorithms.statistics.health import SampleRatio, power, sample_size, srm
from apps.algorithms.statistics.latency import LatencyHistogram
from apps.algorithms.statistics.multiple import adjust
from apps.algorithms.statistics.quantiles import always_valid_quantile_shift, quantile_shift
from apps.algorithms.statistics.samples import Counts, Effect, PairedSample, RatioSample, Sample
from apps.algorithms.statistics.sequential import (
    always_valid,
    always_valid_by_plan,
    group_sequential_bounds,
    width_at_plan,
)

__all__ = [
    "DRIFTED",
    "AdjustedEffect",
    "Chance",
    "ChiSquare",
    "Counts",
    "Effect",
    "LatencyHistogram",
    "PairedSample",
    "RatioSample",
    "Sample",
    "SampleRatio",
    "Stability",
    "adjust",
    "always_valid",
    "always_valid_by_plan",
    "always_valid_quantile_shift",
    "chance_to_beat",
    "chi_square",
    "cuped",
    "design_effect",
    "group_sequential_bounds",
    "power",
    "psi",
    "quantile_shift",
    "ratio",
    "sample_size",
    "srm",
    "welch",
    "width_at_plan",
]
