"""What serves a viewer, as a small validated JSON.

A strategy says how the slots of a slate find their owners, and how diverse the slate is::

    {"policy": "fixed", "arms": {"hybrid": 1.0}, "diversity": 0.4}
    {"policy": "bandit", "arms": ["svd", "als", "item_cf"], "slots": 2, "diversity": 0.3}

Under ``fixed`` each slot belongs to an arm with the arm's weight as probability. Under ``bandit``
the bandit draws ``slots`` of the arms per slate, and these share its slots equally. What is left
out takes its default; ``{}`` is the hybrid alone.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, Literal, get_args

Policy = Literal["fixed", "bandit"]

POLICIES: Final[tuple[Policy, ...]] = get_args(Policy)
DEFAULT_ARM = "hybrid"
DEFAULT_BANDIT_ARMS = ("svd", "embeddings", "graph", "item_cf", "long_tail", "serendipity")
DEFAULT_BANDIT_SLOTS = 3
DEFAULT_DIVERSITY = 0.5
"""Where lists reach furthest into the catalogue before they find less; see docs/DIVERSITY_ALGORITHM.md."""
WEIGHT_TOLERANCE = 1e-9

Problem = tuple[str, str]
"""A JSON pointer into the strategy, and a sentence on what to do there."""


class InvalidStrategy(ValueError):
    """A strategy breaks its schema; ``errors`` lists every (JSON pointer, sentence)."""

    def __init__(self, errors: list[Problem]) -> None:
        self.errors = errors
        super().__init__(" ".join(f"{pointer or 'strategy'}: {detail}" for pointer, detail in errors))


@dataclass(frozen=True)
class Strategy:
    """A strategy that keeps its schema; ``parse_strategy`` alone makes one from outside data.

    arms
        Names, at least one and for ``bandit`` two; for ``fixed`` by name, for ``bandit`` in the
        order given, which is the order of the arms in the bandit's state.
    weights
        Aligned with ``arms``, each above 0, 1 in sum; None for ``bandit``.
    slots
        Arms drawn per slate, 1 to ``len(arms)``; None for ``fixed``.
    diversity
        0 (the arms' own order) to 1.
    """

    policy: Policy = "fixed"
    arms: tuple[str, ...] = (DEFAULT_ARM,)
    weights: tuple[float, ...] | None = (1.0,)
    slots: int | None = None
    diversity: float = DEFAULT_DIVERSITY

    @property
    def label(self) -> str:
        """What one calls it in short: its only arm, else its policy."""
        return self.arms[0] if self.policy == "fixed" and len(self.arms) == 1 else self.policy

    def to_json(self) -> dict[str, Any]:
        """The strategy with every default written out; parsing it gives an equal strategy."""
        if self.weights is None:
            drawn = {"arms": list(self.arms), "slots": self.slots}
            return {"policy": self.policy, **drawn, "diversity": self.diversity}
        weighted = dict(zip(self.arms, self.weights, strict=True))
        return {"policy": self.policy, "arms": weighted, "diversity": self.diversity}


def parse_strategy(data: object, known_arms: Collection[str]) -> Strategy:
    """The strategy that ``data``, parsed JSON, describes; defaults filled in.

    Raises ``InvalidStrategy`` with everything that is wrong at once.
    """
    if not isinstance(data, Mapping):
        raise InvalidStrategy([("", 'Give an object such as {"policy": "fixed", "arms": {"hybrid": 1}}.')])
    policy = data.get("policy", "fixed")
    if not isinstance(policy, str) or policy not in POLICIES:
        raise InvalidStrategy([("/policy", f"Choose one of: {', '.join(POLICIES)}.")])
    errors: list[Problem] = []
    parse = _PARSERS[policy]
    strategy = parse(data, known_arms, errors)
    if errors:
        raise InvalidStrategy(errors)
    return strategy


def strategy_schema(known_arms: Collection[str] = ()) -> dict[str, Any]:
    """A JSON Schema (2020-12) of strategies, for an editor; ``known_arms`` restricts the names.

    It cannot say that weights sum to 1 or that no more arms are drawn than there are:
    ``parse_strategy`` decides.
    """
    name: dict[str, Any] = {"enum": sorted(known_arms)} if known_arms else {"type": "string", "minLength": 1}
    weight = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
    fixed_arms = {
        "type": "object",
        "propertyNames": name,
        "additionalProperties": weight,
        "minProperties": 1,
        "default": {DEFAULT_ARM: 1.0},
    }
    bandit_arms = {
        "type": "array",
        "items": name,
        "minItems": 2,
        "uniqueItems": True,
        "default": list(DEFAULT_BANDIT_ARMS),
    }
    slots = {
        "type": "integer",
        "minimum": 1,
        "default": DEFAULT_BANDIT_SLOTS,
        "description": "How many arms are drawn to share the slots of a slate.",
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Strategy",
        "oneOf": [
            _object_schema("fixed", {"arms": fixed_arms}, required=()),
            _object_schema("bandit", {"arms": bandit_arms, "slots": slots}, required=("policy",)),
        ],
    }


def _object_schema(policy: Policy, own: Mapping[str, Any], *, required: tuple[str, ...]) -> dict[str, Any]:
    diversity = {"type": "number", "minimum": 0, "maximum": 1, "default": DEFAULT_DIVERSITY}
    return {
        "title": policy,
        "type": "object",
        "properties": {"policy": {"const": policy}, **own, "diversity": diversity},
        "required": list(required),
        "additionalProperties": False,
    }


def _parse_fixed(data: Mapping[Any, Any], known_arms: Collection[str], errors: list[Problem]) -> Strategy:
    _refuse_unknown_keys(data, ("policy", "arms", "diversity"), errors)
    weights = _parse_weights(data.get("arms", {DEFAULT_ARM: 1.0}), known_arms, errors)
    return Strategy(
        policy="fixed",
        arms=tuple(sorted(weights)),
        weights=tuple(weights[name] for name in sorted(weights)),
        diversity=_parse_diversity(data, errors),
    )


def _parse_bandit(data: Mapping[Any, Any], known_arms: Collection[str], errors: list[Problem]) -> Strategy:
    _refuse_unknown_keys(data, ("policy", "arms", "slots", "diversity"), errors)
    arms = _parse_names(data.get("arms", list(DEFAULT_BANDIT_ARMS)), known_arms, errors)
    slots = data.get("slots", min(DEFAULT_BANDIT_SLOTS, max(len(arms), 1)))
    if not isinstance(slots, int) or isinstance(slots, bool) or not 1 <= slots <= max(len(arms), 1):
        errors.append(("/slots", "Give a whole number from 1 to the number of arms."))
        slots = 1
    return Strategy(
        policy="bandit", arms=arms, weights=None, slots=slots, diversity=_parse_diversity(data, errors)
    )


_PARSERS: Final[Mapping[Policy, Callable[[Mapping[Any, Any], Collection[str], list[Problem]], Strategy]]] = {
    "fixed": _parse_fixed,
    "bandit": _parse_bandit,
}


def _refuse_unknown_keys(data: Mapping[Any, Any], allowed: tuple[str, ...], errors: list[Problem]) -> None:
    for key in data:
        if key not in allowed:
            errors.append((_pointer(key), f"Remove this key; allowed are: {', '.join(allowed)}."))


def _parse_weights(given: Any, known_arms: Collection[str], errors: list[Problem]) -> dict[str, float]:
    if not isinstance(given, Mapping) or not given:
        errors.append(("/arms", 'Give an object of arms and weights such as {"hybrid": 1}.'))
        return {}
    weights: dict[str, float] = {}
    for name, value in given.items():
        _require_known(name, known_arms, _pointer("arms", name), errors)
        weight = _finite(value)
        if weight is None or weight <= 0:
            errors.append(
                (_pointer("arms", name), "Give a weight above 0; leave the arm out to switch it off.")
            )
        else:
            weights[str(name)] = weight
    total = sum(weights.values())
    if len(weights) == len(given) and abs(total - 1) > WEIGHT_TOLERANCE:
        errors.append(("/arms", f"Make the weights sum to 1; they sum to {total:g}."))
    return weights


def _parse_names(given: Any, known_arms: Collection[str], errors: list[Problem]) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or len(given) < 2:
        errors.append(("/arms", "Give a list of two or more arms."))
        return ()
    names: list[str] = []
    for spot, name in enumerate(given):
        if name in names:
            errors.append((_pointer("arms", spot), "Name each arm once; this one is named before."))
        elif _require_known(name, known_arms, _pointer("arms", spot), errors):
            names.append(name)
    return tuple(names)


def _require_known(name: object, known_arms: Collection[str], pointer: str, errors: list[Problem]) -> bool:
    known = isinstance(name, str) and name in known_arms
    if not known:
        errors.append((pointer, f"Choose a known arm: {', '.join(sorted(known_arms))}."))
    return known


def _parse_diversity(data: Mapping[Any, Any], errors: list[Problem]) -> float:
    diversity = _finite(data.get("diversity", DEFAULT_DIVERSITY))
    if diversity is None or not 0 <= diversity <= 1:
        errors.append(("/diversity", "Give a number from 0 to 1."))
        return 0.0
    return diversity


def _finite(value: object) -> float | None:
    """The value as a float, None for anything but a finite number; a JSON true is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def _pointer(*keys: object) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)
