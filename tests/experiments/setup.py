"""Experiments for tests."""

from collections.abc import Mapping
from typing import Any

from apps.experiments.models import Experiment
from apps.experiments.services import Design, VariantDesign, create_experiment, start
from tests.factories import make_staff

HYBRID = {"policy": "fixed", "arms": {"hybrid": 1.0}, "diversity": 0.0}
POPULAR = {"policy": "fixed", "arms": {"popular": 1.0}, "diversity": 0.0}
_numbers = iter(range(1, 1_000_000))


def make_design(
    key: str = "",
    *,
    strategies: Mapping[str, Mapping[str, Any]] | None = None,
    weights: Mapping[str, float] | None = None,
    **values: Any,
) -> Design:
    """Control against treatment, half and half; the first of ``strategies`` is the control."""
    key = key or f"test-{next(_numbers)}"
    strategies = strategies or {"control": HYBRID, "treatment": POPULAR}
    weights = weights or dict.fromkeys(strategies, 1 / len(strategies))
    variants = tuple(
        VariantDesign(name, weights[name], is_control=number == 0, strategy=strategy)
        for number, (name, strategy) in enumerate(strategies.items())
    )
    return Design(**{"key": key, "name": f"Test {key}", "layer": "strategy", "variants": variants, **values})


def make_experiment(key: str = "", **values: Any) -> Experiment:
    """A draft."""
    return create_experiment(design=make_design(key, **values), by=make_staff())


def make_running(key: str = "", *, reason: str = "a test", **values: Any) -> Experiment:
    return start(key=make_experiment(key, **values).key, by=make_staff(), reason=reason)
