"""How far a quantile of latencies moved: read once, or at any time."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import betaln, chdtrc, gammaln, xlogy

from apps.algorithms.statistics.latency import (
    EDGES,
    LEAST_MS,
    MOST_MS,
    RATIO,
    LatencyHistogram,
    require_share,
)
from apps.algorithms.statistics.samples import Effect, Interval, nothing_known, quantile, require_alpha
from apps.algorithms.types import Float64

_STRENGTHS = (100.0, 1_000.0, 10_000.0, 100_000.0)
"""Of the priors that are mixed, in requests of a group: each is sharpest at some five times as many."""
_LEVELS = 65
_HALVINGS = 34
_WITHIN = 16
"""Steps within a bucket in which a common quantile is sought."""

Cost = Callable[[Float64, Float64], Float64]
"""How badly these two shares below a quantile, control's and treatment's, fit a true ``p``."""


def quantile_shift(
    control: LatencyHistogram,
    treatment: LatencyHistogram,
    p: float = 0.95,
    alpha: float = 0.05,
    design_effect: float = 1.0,
) -> Effect:
    """How many ms later the treatment's p-quantile is, read once at an end that was planned.

    Of each pair of quantiles that could be true, the requests found below them are binomial with share ``p``.
    The interval holds the differences of those pairs whose two deviances together are within the chi-square
    quantile of one degree of freedom, the p-value is that of the best pair with equal quantiles: the
    empirical likelihood of a difference of quantiles (Owen, Empirical Likelihood, 2001, chapter 3). So no
    density is estimated. Where the deviances are quadratic, this is how Price and Bonett (Distribution-free
    confidence intervals for difference and ratio of medians, 2002) combine two order-statistic intervals.

    ``estimate`` and ``ci`` are in ms, ``rel_lift`` and ``rel_ci`` relative to control's quantile. Latencies
    beyond the outermost edges count as those, so that an interval of few requests ends there. Buckets move
    each quantile by less than 4.73 %, both the same way where the groups are alike.

    Requests of one unit hang together, and count as independent here: unless each unit made one, give the
    ``design_effect``, at least 1, by which they blow up the variance of the share below the quantile (Kish,
    Survey Sampling, 1965: ``1 + (requests a unit - 1) * correlation within units``). ``n / design_effect``
    is then the number that counts. ``insufficient_data``, with p and interval None, where that is below 1 in
    either group. Raises ``ValueError`` for ``p`` and ``alpha`` outside 0 to 1.
    """
    groups = _Groups.of(control, treatment, p, design_effect)
    require_alpha(alpha)
    if groups is None:
        return nothing_known()
    n_control, n_treatment = groups.n

    def cost(one: Float64, two: Float64) -> Float64:
        return n_control * _divergence(one, p) + n_treatment * _divergence(two, p)

    found = float(chdtrc(1, 2 * max(groups.least(cost), 0.0)))
    return groups.effect(cost, quantile(alpha) ** 2 / 2, p_value=found)


def always_valid_quantile_shift(
    control: LatencyHistogram,
    treatment: LatencyHistogram,
    p: float = 0.95,
    alpha: float = 0.05,
    design_effect: float = 1.0,
) -> Effect:
    """``quantile_shift`` that holds at every look together, however often and whenever one looks.

    Of the true quantiles the product of both groups' beta-binomial mixtures is a martingale, so that with
    chance ``1 - alpha`` it never reaches ``1 / alpha`` (Howard and Ramdas, Sequential estimation of quantiles
    with applications to A/B testing and best-arm identification, Bernoulli 2022). The interval
    holds the differences of all pairs of quantiles for which it did not, and ``p_value`` is one over its
    value at the best pair with equal quantiles. Four priors are mixed, of mean ``p`` and as strong as 100
    to 100,000 requests, so that nothing needs tuning between some hundred and a million of them: the interval
    is twice as wide as that of ``quantile_shift``.

    Neither asymptotic nor of a density: exact for independent requests, and for quantiles as linear within
    buckets. With a ``design_effect`` above 1 it is as good as that number. ``p_value`` is 1 where nothing is
    known yet. See ``quantile_shift`` for units, errors and what its ``design_effect`` is.
    """
    groups = _Groups.of(control, treatment, p, design_effect)
    require_alpha(alpha)
    if groups is None:
        return nothing_known(p_value=1.0)
    n_control, n_treatment = groups.n

    def cost(one: Float64, two: Float64) -> Float64:
        both = [_log_e(one, n_control, p, by) + _log_e(two, n_treatment, p, by) for by in _STRENGTHS]
        return np.asarray(np.logaddexp.reduce(both)) - math.log(len(_STRENGTHS))

    found = math.exp(-max(groups.least(cost), 0.0))
    return groups.effect(cost, -math.log(alpha), p_value=found)


@dataclass(frozen=True)
class _Groups:
    control: LatencyHistogram
    treatment: LatencyHistogram
    p: float
    n: tuple[float, float]
    """Requests that count, control's and treatment's."""

    @classmethod
    def of(
        cls, control: LatencyHistogram, treatment: LatencyHistogram, p: float, design_effect: float
    ) -> Self | None:
        """None where a group has not one request that counts."""
        require_share(p)
        if not 1 <= design_effect < math.inf:
            raise ValueError(f"a design effect must be at least 1, not {design_effect}")
        n = (control.n / design_effect, treatment.n / design_effect)
        return cls(control, treatment, p, n) if min(n) >= 1 else None

    def effect(self, cost: Cost, limit: float, p_value: float) -> Effect:
        one, two = self.control.quantile(self.p), self.treatment.quantile(self.p)
        (low, low_ratio), (high, high_ratio) = self._furthest(cost, limit)
        return Effect(
            estimate=two - one,
            p_value=min(p_value, 1.0),
            ci=(min(low, two - one), max(high, two - one)),
            rel_lift=two / one - 1,
            rel_ci=(min(low_ratio, two / one) - 1, max(high_ratio, two / one) - 1),
            df=None,
            status="ok",
        )

    def least(self, cost: Cost) -> float:
        """The cost of the best quantile that both groups can share."""
        ends = sorted((self.control.quantile(self.p), self.treatment.quantile(self.p)))
        first, last = np.searchsorted(EDGES, ends, side="right")
        steps = np.arange((last - first + 2) * _WITHIN) / _WITHIN
        shared = np.clip(LEAST_MS * RATIO ** (first - 1 + steps), ends[0], ends[1])
        shared = np.concatenate([shared, ends])
        levels = [self._levels(histogram, shared) for histogram in (self.control, self.treatment)]
        return float(cost(*levels).min())

    def _levels(self, histogram: LatencyHistogram, shared: Float64) -> Float64:
        """What is at an outermost edge is beyond it or not: whichever fits p better."""
        levels = histogram.levels_at(shared)
        levels = np.where(shared <= LEAST_MS, np.minimum(levels, self.p), levels)
        return np.where(shared >= MOST_MS, np.maximum(levels, self.p), levels)

    def _furthest(self, cost: Cost, limit: float) -> tuple[Interval, Interval]:
        """The lowest and highest difference within the limit, each with the ratio beside it."""
        p = np.array([self.p])
        slowest, fastest = np.ones(1), np.zeros(1)
        # Treatment at its slowest and control at its fastest, and the other way round.
        control = np.linspace(p, _reach(lambda level: cost(level, p), p, fastest, limit), _LEVELS)[:, 0]
        treatment = _reach(lambda level: cost(control, level), np.full(_LEVELS, self.p), slowest, limit)
        fast, slow = self.control.latencies_at(control), self.treatment.latencies_at(treatment)
        high = float((slow - fast).max()), float((slow / fast).max())
        control = np.linspace(p, _reach(lambda level: cost(level, p), p, slowest, limit), _LEVELS)[:, 0]
        treatment = _reach(lambda level: cost(control, level), np.full(_LEVELS, self.p), fastest, limit)
        slow, fast = self.control.latencies_at(control), self.treatment.latencies_at(treatment)
        return (float((fast - slow).min()), float((fast / slow).min())), high


def _reach(cost: Callable[[Float64], Float64], start: Float64, end: Float64, limit: float) -> Float64:
    """How far each level goes from ``start`` to ``end`` before its cost is beyond the limit.

    ``end`` itself where it is not: convex costs rise once only.
    """
    within, beyond = start, np.broadcast_to(end, start.shape)
    goes_to_end = cost(beyond) <= limit
    for _ in range(_HALVINGS):
        middle = (within + beyond) / 2
        is_within = cost(middle) <= limit
        within, beyond = np.where(is_within, middle, within), np.where(is_within, beyond, middle)
    return np.where(goes_to_end, end, beyond)


def _divergence(level: Float64, p: float) -> Float64:
    """Half a request's deviance: Kullback and Leibler's of the share found from ``p``."""
    return np.asarray(xlogy(level, level / p) + xlogy(1 - level, (1 - level) / (1 - p)))


def _log_e(level: Float64, n: float, p: float, strength: float) -> Float64:
    """The beta-binomial mixture against ``p``, of ``n`` requests with the share ``level`` below."""
    below, above = level * n, (1 - level) * n
    a, b = strength * p, strength * (1 - p)
    mixed = gammaln(a + below) + gammaln(b + above) - gammaln(a + b + n) - betaln(a, b)
    return np.asarray(mixed - below * math.log(p) - above * math.log1p(-p))
