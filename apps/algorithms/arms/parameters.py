"""Settings of an arm: a frozen dataclass whose fields declare their defaults and ranges.

    @dataclass(frozen=True)
    class SvdSettings(PersonalSettings):
        factors: int = whole(16, low=1, high=512)

``read_settings`` turns parameters from outside into such an instance or refuses them.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

import numpy as np

from apps.algorithms.base import InvalidParameter
from apps.algorithms.types import Parameters
from apps.algorithms.weights import SIGNALS

_CHANCE_OF_NONE = 0.2
_CHANCE_OF_ZERO = 0.1
_CHANCE_OF_ANOTHER_WORD = 0.3
# Between them lie half-lives worth a try, where nothing better is known.
_SMALL, _LARGE = 1.0, 100.0
# A weight of 0 that is tried at all is tried around this.
_FROM_ZERO = 0.2


@dataclass(frozen=True)
class Rule:
    """What a field accepts, how to say so, and how to try another value.

    ``near`` takes a value, a source of chance and a factor of more than 1, and returns an accepted value
    that is rarely further off than the factor.
    """

    accepts: Callable[[Any], bool]
    description: str
    near: Callable[[Any, np.random.Generator, float], Any]


def whole(default: int, *, low: int, high: int) -> int:
    """A field for a whole number from ``low`` to ``high``."""

    def accepts(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    def near(value: int, rng: np.random.Generator, factor: float) -> int:
        return int(np.clip(round(max(value, 1) * factor ** rng.uniform(-1, 1)), low, high))

    rule = Rule(accepts, f"a whole number from {low} to {high}", near)
    return field(default=default, metadata={"rule": rule})


def real(default: float, *, low: float, high: float) -> float:
    """A field for a finite number from ``low`` to ``high``."""

    def near(value: float, rng: np.random.Generator, factor: float) -> float:
        return _near_real(value, rng, factor, low=low, high=high)

    rule = Rule(lambda value: _is_real(value, low, high), f"a number from {low:g} to {high:g}", near)
    return field(default=default, metadata={"rule": rule})


def optional_real(default: float | None, *, low: float, high: float) -> float | None:
    """A field for a finite number from ``low`` to ``high``, or None."""

    def near(value: float | None, rng: np.random.Generator, factor: float) -> float | None:
        if rng.random() < _CHANCE_OF_NONE:
            return None
        known = float(np.sqrt(max(low, _SMALL) * min(high, _LARGE))) if value is None else value
        return _near_real(known, rng, factor, low=low, high=high)

    rule = Rule(
        lambda value: value is None or _is_real(value, low, high),
        f"a number from {low:g} to {high:g}, or None",
        near,
    )
    return field(default=default, metadata={"rule": rule})


def choice(default: str, *, options: tuple[str, ...]) -> str:
    """A field for one of some words."""

    def near(value: str, rng: np.random.Generator, factor: float) -> str:
        return value if rng.random() >= _CHANCE_OF_ANOTHER_WORD else str(rng.choice(options))

    rule = Rule(
        lambda value: isinstance(value, str) and value in options, f"one of {', '.join(options)}", near
    )
    return field(default=default, metadata={"rule": rule})


def flag(default: bool) -> bool:
    """A field for true or false."""

    def near(value: bool, rng: np.random.Generator, factor: float) -> bool:
        return bool(value ^ (rng.random() < _CHANCE_OF_ANOTHER_WORD / 2))

    rule = Rule(lambda value: isinstance(value, bool), "true or false", near)
    return field(default=default, metadata={"rule": rule})


def _near_real(value: float, rng: np.random.Generator, factor: float, *, low: float, high: float) -> float:
    """A log-uniform draw; where 0 is allowed, sometimes 0, and from 0 to a small weight and back."""
    if low == 0 and rng.random() < _CHANCE_OF_ZERO:
        return 0.0
    start = value if value > 0 else min(high, _FROM_ZERO)
    return float(np.clip(start * factor ** rng.uniform(-1, 1), low, high))


def _is_real(value: Any, low: float, high: float) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and low <= value <= high


@dataclass(frozen=True)
class Settings:
    """The base of every arm's settings."""

    def as_parameters(self) -> Parameters:
        return asdict(self)


@dataclass(frozen=True)
class PersonalSettings(Settings):
    """What every arm that folds in a history can be told about reading it."""

    signal: str = choice("all", options=SIGNALS)
    half_life: float | None = optional_real(None, low=0.5, high=10_000)


AnySettings = TypeVar("AnySettings", bound=Settings)


def read_settings(
    settings_class: type[AnySettings], owner: str, parameters: Mapping[str, Any]
) -> AnySettings:
    """The settings that ``parameters`` ask for, defaults where they are silent.

    Raises ``InvalidParameter`` naming ``owner`` and what would be right, for an unknown name or a
    value outside its range.
    """
    rules = {declared.name: declared.metadata["rule"] for declared in fields(settings_class)}
    for name, value in parameters.items():
        if name not in rules:
            known = ", ".join(sorted(rules)) or "none"
            raise InvalidParameter(f"{owner} has no parameter {name!r}; its parameters are: {known}.")
        if not rules[name].accepts(value):
            raise InvalidParameter(f"{owner}: {name} must be {rules[name].description}, not {value!r}.")
    return settings_class(**parameters)


def near_settings(
    settings_class: type[Settings], parameters: Parameters, rng: np.random.Generator, factor: float
) -> Parameters:
    """Accepted parameters near ``parameters``: each field by its rule's ``near``."""
    rules = {declared.name: declared.metadata["rule"] for declared in fields(settings_class)}
    return {name: rules[name].near(value, rng, factor) for name, value in parameters.items()}
