"""Effects that may be read while they grow: at any time, or at looks that were planned."""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.special import ndtr

from apps.algorithms.statistics.mixtures import Aimed, Centred, Mixture
from apps.algorithms.statistics.samples import (
    LEAST_VARIANCE,
    Counts,
    Effect,
    RatioSample,
    Sample,
    moments,
    nothing_known,
    relative_interval,
    relative_lift,
    require_alpha,
)
from apps.algorithms.types import Float64

Summed = Counts | Sample | RatioSample

_AIM = 0.75
"""Of the planned units: what is aimed at later finds no more by the end, and less before."""
_NODES = 401
"""Of the grid between two bounds, odd for Simpson's rule."""
LEAST_STEP = 0.002
"""Of information between two looks: the grid would be too wide for what the walk moves in less."""
_FURTHEST = 12.0
"""Standard deviations beyond which nothing can be spent."""


def always_valid(
    control: Summed,
    treatment: Summed,
    alpha: float = 0.05,
    tuning: float = 5000.0,
    relative: bool = False,
) -> Effect:
    """An interval and a p that hold at every look together, however often and whenever one looks.

    The normal-mixture asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, 2021,
    theorem 2.2) of the difference of two means, of which ``t`` units make up both:

        difference +- sd * sqrt(2 (t rho^2 + 1) / (t rho)^2 * log(sqrt(t rho^2 + 1) / alpha))

    with ``sd^2`` the variance of the difference times ``t``, and ``rho^2 = (-2 log alpha + log(1 - 2 log
    alpha)) / tuning``, which makes it tightest at ``t = tuning`` (the paper's appendix B.2).

    ``tuning`` must be known before the first look. Of an experiment with a plan, best are two thirds of the
    planned units of both groups: 30 looks then find 44.9 % of what the fixed test finds with 76 %, against
    44.4 % at 5/12 and 44.5 % at all of them; ``always_valid_by_plan`` finds 52 %. ``relative`` asks for the
    lift as ``estimate``: its interval is Fieller's at the same width and its p that of the difference, as the
    delta method alarms on nothing too often while successes are few. ``p_value`` is 1 where nothing is known
    yet, or the lift could be without end; then the status is ``insufficient_data`` and the interval None.
    Raises ``ValueError`` unless ``tuning`` lies above 0.
    """
    require_alpha(alpha)
    if not tuning > 0:
        raise ValueError(f"tuning must lie above 0, not at {tuning}")
    return _read(control, treatment, alpha, Centred.tuned(tuning, alpha), relative=relative)


def always_valid_by_plan(
    control: Summed,
    treatment: Summed,
    *,
    planned: float,
    alpha: float = 0.05,
    relative: bool = False,
) -> Effect:
    """``always_valid`` for an experiment that has a plan: sharper about its ``planned`` units.

    It holds at every look together too, the plan being kept to or not: ``planned``, the units of both groups
    at its end, only says where it is sharpest, and must be known before the first look. Effects that a plan
    finds are some standard errors large at its end, so the mixture is about those and not about 0: ``Aimed``
    at three quarters of the plan. Of an effect that the fixed test finds with 76 %, 30 looks find 52 % and
    not 45. Beside ``always_valid`` at its best tuning intervals are narrower by 3 to 7 % from a quarter of
    the plan to 1.5 times it, and wider before a sixth of it and beyond its triple: by 22 % at the first of 30
    looks, by 9 % at ten times the plan.

    Raises ``ValueError`` unless ``planned`` lies above 0; all else is as with ``always_valid``.
    """
    require_alpha(alpha)
    if not 0 < planned < math.inf:
        raise ValueError(f"planned units must lie above 0, not at {planned}")
    return _read(control, treatment, alpha, Aimed.at(_AIM * planned, alpha), relative=relative)


def width_at_plan(alpha: float = 0.05) -> float:
    """How far from 0 ``z`` must be for ``always_valid_by_plan`` to tell an effect with all planned units."""
    require_alpha(alpha)
    return Aimed.at(_AIM, alpha).width(1.0, alpha)


def group_sequential_bounds(
    information_fractions: Sequence[float], alpha: float = 0.05, spending_power: float = 3.0
) -> list[float]:
    """How far from 0 ``z`` must be at each look for the effect to be told, the false alarms of all looks
    together being ``alpha``.

    ``information_fractions`` are the parts of the planned sample that each look has, rising, above 0. By the
    spending function ``alpha * t^spending_power`` (Lan and DeMets, Biometrika 1983; Kim and DeMets 1987),
    two-sided and symmetric, by the recursive integration of Armitage, McPherson and Rowe (1969). The first
    look at 1 or beyond spends what is left; later ones have an infinite bound, as has any look at which
    nothing is left. Give the fractions of the looks that were made, whenever they were, and 1 for the last
    one where the experiment ends with fewer units than planned: what is left is spent then, with fewer false
    alarms than ``alpha`` if anything. A look that saw no new unit is none, and one that adds less than
    ``LEAST_STEP`` before the end has an infinite bound: what it had to spend, the next one spends. Raises
    ``ValueError`` for fractions that do not rise and a power not above 0.
    """
    require_alpha(alpha)
    fractions = list(information_fractions)
    if not spending_power > 0:
        raise ValueError(f"spending_power must lie above 0, not at {spending_power}")
    if any(not fraction > 0 for fraction in fractions) or any(
        later <= earlier for earlier, later in pairwise(fractions)
    ):
        raise ValueError("information fractions must lie above 0 and rise from look to look")
    return list(_bounds(tuple(fractions), alpha, spending_power))


# Looks that were made stay as they were: each time results are read the same bounds are asked for.
@lru_cache(maxsize=256)
def _bounds(fractions: tuple[float, ...], alpha: float, spending_power: float) -> tuple[float, ...]:
    bounds: list[float] = []
    walk, spent = _Walk(), 0.0
    for fraction in fractions:
        due = alpha * min(fraction, 1.0) ** spending_power
        is_too_soon = fraction < 1 and fraction - walk.at < LEAST_STEP
        if is_too_soon or due - spent <= alpha * 1e-12:
            bounds.append(math.inf)
            continue
        bounds.append(walk.bound(fraction, due - spent))
        spent = due
    return tuple(bounds)


def _read(control: Summed, treatment: Summed, alpha: float, mixture: Mixture, *, relative: bool) -> Effect:
    one, two = moments(control), moments(treatment)
    if one is None or two is None:
        return nothing_known(p_value=1.0)
    difference, variance = two.mean - one.mean, one.of_mean + two.of_mean
    lift = relative_lift(one, two)
    rel_lift = lift[0] if lift is not None else None
    estimate = rel_lift if relative else difference
    if min(one.n, two.n) < 2 or variance <= LEAST_VARIANCE:
        return nothing_known(estimate=None if relative else difference, p_value=1.0)
    t, error = one.n + two.n, math.sqrt(variance)
    width = mixture.width(t, alpha)
    rel_ci = relative_interval(one, two, width)
    if relative and rel_ci is None:
        return nothing_known(estimate=estimate, p_value=1.0)
    return Effect(
        estimate=estimate,
        # The least alpha whose interval, of this same mixture, leaves 0 out.
        p_value=math.exp(-max(mixture.log_e(difference / error, t), 0.0)),
        ci=rel_ci if relative else _around(difference, width * error),
        rel_lift=rel_lift,
        rel_ci=rel_ci,
        df=None,
        status="ok",
    )


def _around(centre: float, far: float) -> tuple[float, float]:
    return centre - far, centre + far


class _Walk:
    """A Brownian motion that has not left its bounds yet: its density at the last look, on a grid."""

    def __init__(self) -> None:
        self.at = 0.0
        """The information of the last look that spent anything."""
        self._places: Float64 = np.zeros(1)
        self._mass: Float64 = np.ones(1)
        """What each place holds of the chance not to have left, weights of the rule included."""

    def bound(self, fraction: float, spend: float) -> float:
        """The bound on z at ``fraction`` that leaves with chance ``spend``; the walk goes on within it."""
        # The last look comes when it comes: closer than this it is taken for so far, which alarms less.
        step, root = math.sqrt(max(fraction - self.at, LEAST_STEP)), math.sqrt(fraction)

        def left(z: float) -> float:
            upper = ndtr((self._places - z * root) / step)
            lower = ndtr((-z * root - self._places) / step)
            return float(self._mass @ (upper + lower)) - spend

        # Here, because it takes a tenth of a second that most processes never need.
        from scipy.optimize import brentq

        if left(0.0) <= 0:
            found = 0.0
        else:
            found = float(brentq(left, 0.0, _FURTHEST, xtol=1e-10)) if left(_FURTHEST) < 0 else math.inf
        self._go_on(fraction, min(found, _FURTHEST) * root, step)
        return found

    def _go_on(self, fraction: float, edge: float, step: float) -> None:
        places = np.linspace(-edge, edge, _NODES)
        weights = np.full(_NODES, 2.0)
        weights[1::2] = 4.0
        weights[[0, -1]] = 1.0
        weights *= (places[1] - places[0]) / 3
        gaps = (places[:, None] - self._places[None, :]) / step
        density = np.exp(-0.5 * gaps * gaps) @ self._mass / (step * math.sqrt(2 * math.pi))
        self.at, self._places, self._mass = fraction, places, density * weights
