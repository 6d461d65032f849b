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

from apps.algorithms.base import InvalidParameter
from apps.algorithms.types import Parameters
from apps.algorithms.weights import SIGNALS


@dataclass(frozen=True)
class Rule:
    """What a field accepts, and how to say so."""

    accepts: Callable[[Any], bool]
    description: str


def whole(default: int, *, low: int, high: int) -> int:
    """A field for a whole number from ``low`` to ``high``."""

    def accepts(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    rule = Rule(accepts, f"a whole number from {low} to {high}")
    return field(default=default, metadata={"rule": rule})


def real(default: float, *, low: float, high: float) -> float:
    """A field for a finite number from ``low`` to ``high``."""
    rule = Rule(lambda value: _is_real(value, low, high), f"a number from {low:g} to {high:g}")
    return field(default=default, metadata={"rule": rule})


def optional_real(default: float | None, *, low: float, high: float) -> float | None:
    """A field for a finite number from ``low`` to ``high``, or None."""
    rule = Rule(
        lambda value: value is None or _is_real(value, low, high),
        f"a number from {low:g} to {high:g}, or None",
    )
    return field(default=default, metadata={"rule": rule})


def choice(default: str, *, options: tuple[str, ...]) -> str:
    """A field for one of some words."""
    rule = Rule(lambda value: isinstance(value, str) and value in options, f"one of {', '.join(options)}")
    return field(default=default, metadata={"rule": rule})


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
