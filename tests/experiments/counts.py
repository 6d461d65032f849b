"""Plans and what they have counted, as values, for tests of how they are read."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.experiments.assigning import Targeting
from apps.experiments.figures import Figures, Parts
from apps.experiments.plans import Plan, PlannedVariant
from apps.experiments.ramping import WHOLE

Metrics = Mapping[str, Mapping[str, Parts]]


def make_plan(weights: Mapping[str, float] | None = None, **values: Any) -> Plan:
    """Of the first variant as the control; read at any time, of units that click, without guardrails."""
    weights = weights or {"control": 0.5, "treatment": 0.5}
    variants = tuple(
        PlannedVariant(name, weight, is_control=number == 0, strategy=None, recipe="standard")
        for number, (name, weight) in enumerate(weights.items())
    )
    said: dict[str, Any] = {
        "kind": "recipe",
        "range_start": 0.0,
        "range_end": 1.0,
        "targeting": Targeting(),
        "variants": variants,
        "goals": ("clicked_units",),
        "guardrails": {},
        "min_effect": 0.05,
        "alpha": 0.05,
        "power": 0.8,
        "test": "any_time",
        "horizon_days": 28,
        "steps": WHOLE,
        "only_differing": False,
        "dry_run": False,
    }
    return Plan(**{**said, **values})


def binary(n: float, reached: float) -> Parts:
    return (n, reached, reached, n, n, reached, 0.0, 0.0, 0.0)


def rated(n: float, top: float, bottom: float, *, spread: float = 1.0) -> Parts:
    """A ratio of units that are all alike, but that their top varies by ``spread`` of its mean square."""
    mean_top, mean_bottom = top / n, bottom / n
    squares = n * mean_top**2 * (1 + spread)
    return (n, top, squares, bottom, n * mean_bottom**2, n * mean_top * mean_bottom, 0.0, 0.0, 0.0)


def make_figures(metrics: Metrics, *, days: float = 3.5, **values: Any) -> Figures:
    said: dict[str, Any] = {"looks": (), "latencies": {}, "planned_units": None}
    return Figures(metrics=metrics, days=days, **{**said, **values})


def clicked(control: tuple[float, float], *treatments: tuple[float, float]) -> Metrics:
    """Units and those that click, of ``control`` and ``treatment``, or of ``one``, ``two`` … of several."""
    names = ["treatment"] if len(treatments) == 1 else ["one", "two", "three"][: len(treatments)]
    groups = dict(zip(["control", *names], [control, *treatments], strict=True))
    return {"clicked_units": {name: binary(*counts) for name, counts in groups.items()}}


def looking(*looks: Metrics, **values: Any) -> Figures:
    """A look at the end of each day, of which the last is what there is."""
    last: Metrics = looks[-1] if looks else {}
    return make_figures(last, **{"looks": tuple(looks), "days": float(len(looks)), **values})


def growing(days: int, a_day: float, control: float, treatment: float) -> Sequence[Metrics]:
    """Looks at so many units of each variant more a day, of which these shares click."""
    return [
        clicked((n, round(n * control)), (n, round(n * treatment)))
        for n in (a_day * day for day in range(1, days + 1))
    ]
