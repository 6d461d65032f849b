"""How long an experiment takes to find what is worth finding, from what the site saw lately."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, sqrt
from uuid import UUID

import numpy as np
from django.core.cache import cache
from django.db.models import Count
from scipy.special import ndtr, ndtri

from apps.algorithms.statistics import Counts, RatioSample, Sample, width_at_plan
from apps.algorithms.statistics.samples import Moments, moments
from apps.algorithms.types import Float64
from apps.core.identifiers import first_uuid7
from apps.events.models import RecommendationEvent, Slate
from apps.experiments.counting import film_sums
from apps.experiments.metrics import METRICS, Metric
from apps.experiments.models import Holdout
from apps.experiments.plans import Plan

SITE_DAYS = 14
"""Of the log that a plan is made from."""
MOST_DAYS = 365
_HELD_SECONDS = 3600
_FILM_SUMS = film_sums()
_SUMS = ("lists", *_FILM_SUMS)


@dataclass(frozen=True)
class Site:
    """Of the counted lists of the last ``SITE_DAYS``, over units: ``sums`` float64 ``(len(_SUMS),)``, their
    ``products`` with each other ``(len(_SUMS), len(_SUMS))``, and ``reached``, how many units have any.

    ``segments`` are shares of units by segment.
    """

    n_units: int
    sums: Float64
    products: Float64
    reached: Float64
    segments: dict[str, float]

    def has_seen(self, metric: Metric) -> bool:
        """Whether anything was counted of the metric; of one that is not summed here nobody can say no."""
        names = {metric.over, *([metric.under] if metric.under else [])} - {""}
        return all(self.sums[_SPOTS[name]] > 0 for name in names if name in _SPOTS and not metric.absolute)

    @property
    def units_a_day(self) -> float:
        return self.n_units / SITE_DAYS


@dataclass(frozen=True)
class Power:
    """What a plan can find.

    ``baseline`` is the first goal's value on the site, ``units_a_day`` how many new units come into the
    experiment each day, ``units_needed`` how many all variants need together for the smallest effect that is
    worth finding, and ``days_needed`` how long that takes; None beyond ``MOST_DAYS``. ``units`` are there at
    the horizon, and ``power`` is the chance to find that effect by then.
    """

    metric: Metric
    baseline: float
    units_a_day: float
    units_needed: float
    days_needed: int | None
    units: float
    power: float


def site_of(now: datetime) -> Site:
    """What the site saw lately; at most an hour old. Three queries then."""
    held: Site | None = cache.get(_KEY)
    if held is None:
        held = _read_site(now - timedelta(days=SITE_DAYS))
        cache.set(_KEY, held, _HELD_SECONDS)
    return held


def power_of(plan: Plan, site: Site) -> Power | None:
    """None where the site has seen too little of the first goal to say anything.

    Units of the log are taken to go on coming at the same rate, and each to be seen for the first time on its
    day, so a site of few regulars gets fewer units than this. Two-sided by the normal distribution:
    ``n = (z_alpha + z_power)^2 (1 / share_1 + 1 / share_2) variance / (effect mean)^2`` units in all, for the
    smallest treatment. ``z_alpha`` is that of the last look alone: of a test that may be read at any time the
    wider one, to which the looks before add some.
    """
    metric = METRICS[plan.goals[0]]
    found = _moments(metric, site)
    if found is None:
        return None
    return _power(plan, metric, found.mean, found.variance, site.units_a_day * _part_of_site(plan, site))


def assumed_power(plan: Plan, share: float, units_a_day: float) -> Power | None:
    """As ``power_of`` where nobody knows the site yet: a ``share`` of units, 0 to 1, reach the first goal.

    ``units_a_day`` are those that come into the experiment. None where such a share has no variance.
    """
    return _power(plan, METRICS[plan.goals[0]], share, share * (1 - share), units_a_day)


def _power(plan: Plan, metric: Metric, mean: float, variance: float, a_day: float) -> Power | None:
    if mean <= 0 or variance <= 0:
        return None
    shares = [one.weight for one in plan.variants if one.weight > 0]
    others = [one.weight for one in plan.variants if one.weight > 0 and not one.is_control]
    if not others or plan.control.weight <= 0 or len(shares) < 2:
        return None
    alpha = plan.alpha / len(others)
    far = float(ndtri(1 - alpha / 2)) if plan.test == "planned" else width_at_plan(alpha)
    a_unit = (1 / plan.control.weight + 1 / min(others)) * variance
    effect = plan.min_effect * mean
    needed = (far + float(ndtri(plan.power))) ** 2 * a_unit / effect**2
    units = a_day * plan.horizon_days
    z = effect / sqrt(a_unit / units) if units > 0 else 0.0
    power = float(ndtr(z - far) + ndtr(-z - far)) if units > 0 else 0.0
    days = ceil(needed / a_day) if a_day > 0 else None
    return Power(
        metric=metric,
        baseline=mean,
        units_a_day=a_day,
        units_needed=needed,
        days_needed=days if days is not None and days <= MOST_DAYS else None,
        units=units,
        power=power,
    )


def is_partly_unknown(plan: Plan) -> bool:
    """Whether it targets by what the log does not tell of units."""
    targeting = plan.targeting
    return bool(targeting.languages) or (targeting.age_from, targeting.age_to) != (None, None)


def foreseen_units(plan: Plan, now: datetime) -> float | None:
    """How many units all variants together are to have at the horizon; None where nobody knows."""
    if is_partly_unknown(plan):
        return None
    power = power_of(plan, site_of(now))
    return power.units if power and power.units > 0 else None


_KEY = "experiments:site:1"
_SPOTS = {name: spot for spot, name in enumerate(_SUMS)}


def _part_of_site(plan: Plan, site: Site) -> float:
    """Of the units that come: who is in the range, covered, targeted by segment, and not held out."""
    holdout = Holdout.objects.filter(pk=Holdout.SINGLETON).values_list("share", flat=True).first() or 0.0
    segments = plan.targeting.segments
    targeted = sum(site.segments.get(name, 0.0) for name in segments) if segments else 1.0
    covered = plan.steps[-1].coverage
    return (plan.range_end - plan.range_start) * covered * targeted * (1 - holdout)


def _moments(metric: Metric, site: Site) -> Moments | None:
    names = {metric.over, *([metric.under] if metric.under else [])}
    if site.n_units < 2 or not names <= _SPOTS.keys():
        return None
    top = _SPOTS[metric.over]
    sums, products = site.sums.tolist(), site.products.tolist()
    if metric.shape == "binary":
        return moments(Counts(float(site.reached[top]), site.n_units))
    if metric.shape == "ratio":
        under = _SPOTS[metric.under]
        squares = products[top][top], products[under][under], products[top][under]
        return moments(RatioSample(site.n_units, sums[top], squares[0], sums[under], squares[1], squares[2]))
    return moments(Sample(site.n_units, sums[top], products[top][top]))


def _read_site(since: datetime) -> Site:
    lists = Slate.objects.filter(id__gte=first_uuid7(since), counted=True, unit_key__isnull=False).order_by()
    spots: dict[UUID | None, int] = {}
    n_lists = dict(lists.values_list("unit_key").annotate(n=Count("pk")))
    for unit in n_lists:
        spots[unit] = len(spots)
    sums = np.zeros((len(spots), len(_SUMS)))
    for unit, n in n_lists.items():
        sums[spots[unit], 0] = n
    films = RecommendationEvent.objects.filter(
        slate_id__gte=first_uuid7(since), slate__counted=True, slate__unit_key__isnull=False
    ).order_by()
    counts = {f"sum_{name}": expression for name, expression in _FILM_SUMS.items()}
    rows = films.values("slate__unit_key").annotate(**counts)
    for unit, *row in rows.values_list("slate__unit_key", *counts):
        if unit in spots:
            sums[spots[unit], 1:] = [float(one or 0) for one in row]
    segments = lists.values_list("context__user_segment").annotate(n=Count("unit_key", distinct=True))
    total = max(len(spots), 1)
    shares = {str(name): n / total for name, n in segments}
    return Site(len(sums), sums.sum(axis=0), sums.T @ sums, (sums > 0).sum(axis=0).astype(np.float64), shares)
