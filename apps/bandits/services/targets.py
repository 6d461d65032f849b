"""Policies that can be judged from the log of a version: how they are named, and what they would show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from apps.algorithms.drafting import equal_slot_probabilities, slot_propensities
from apps.algorithms.types import Float64
from apps.bandits.beliefs import Bandit, believed, believed_at_start
from apps.bandits.models import BanditPolicy
from apps.bandits.services.versions import Terms, on_terms, require_weights, terms_of
from apps.core.errors import InvalidInput

UNIFORM = "uniform"
VERSION = "version:"
WEIGHTS = "weights:"
TERMS = "terms:"
_KINDS: Mapping[str, Callable[[str], Any]] = {"optimistic": lambda text: {"true": True, "false": False}[text]}


@dataclass(frozen=True)
class Target:
    """``drawing`` is None for one that gives each slot of any context to the arms by ``parts``."""

    name: str
    parts: Mapping[str, float]
    drawing: Callable[[], Bandit] | None = None

    def slot_probabilities(self, policy: BanditPolicy, k: int, n_contexts: int) -> Float64:
        """With what probability a slot of each context goes to each arm of ``policy``, ``k`` sharing a list.

        float64 ``(n_contexts, n_arms)``.
        """
        if self.drawing is None:
            parts = np.array([self.parts[arm] for arm in policy.arms], dtype=np.float64)
            return np.tile(parts, (n_contexts, 1))
        beliefs, slots = self.drawing().beliefs, equal_slot_probabilities(1, k)
        return np.stack(
            [
                slot_propensities(beliefs.rank_propensities(context)[:, :k], slots)[0]
                for context in range(n_contexts)
            ]
        )


def names_of(policy: BanditPolicy) -> list[str]:
    """Those that need nothing more to be said: uniform, each arm, and versions that did not learn from it."""
    others = BanditPolicy.objects.filter(arms=policy.arms, version__lte=policy.version).order_by("-version")
    return [UNIFORM, *policy.arms, *(f"{VERSION}{one}" for one in others.values_list("version", flat=True))]


def weights_name(weights: Mapping[str, float]) -> str:
    """Of the policy that serves arms by fixed weights: ``weights:als=0.5,svd=0.5``."""
    return WEIGHTS + ",".join(f"{arm}={weight!r}" for arm, weight in sorted(weights.items()))


def terms_name(policy: BanditPolicy, terms: Terms, keep: float = 1.0) -> str:
    """Of the one that draws by ``terms`` and ``keep`` of what ``policy`` began with; what is alike is left
    out: ``terms:explore=0.1,keep=0.5``.
    """
    same = asdict(terms_of(policy)) | {"keep": 1.0}
    changed = {name: one for name, one in (asdict(terms) | {"keep": keep}).items() if one != same[name]}
    return TERMS + ",".join(f"{name}={_written(one)}" for name, one in changed.items())


def targets_of(names: Sequence[str], policy: BanditPolicy) -> list[Target]:
    """What each name means in the log of ``policy``.

    Raises ``InvalidInput`` for a name that is none, for weights that are not those of the arms, and for terms
    on which nothing can be drawn.
    """
    known = names_of(policy)
    return [_target(name, policy, known) for name in names]


def _target(name: str, policy: BanditPolicy, known: Sequence[str]) -> Target:
    if name.startswith(WEIGHTS):
        weights = _pairs(name.removeprefix(WEIGHTS), WEIGHTS, dict.fromkeys(policy.arms, float))
        require_weights(policy, weights)
        return Target(name, weights)
    if name.startswith(TERMS):
        return Target(name, {}, _on_terms(name, policy))
    if name not in known:
        ways = f"{WEIGHTS}ARM=PART,… and {TERMS}TERM=VALUE,…"
        raise InvalidInput(f"There is no policy {name!r} to judge; there are: {', '.join(known)}, {ways}.")
    if name == UNIFORM:
        return Target(name, dict.fromkeys(policy.arms, 1 / len(policy.arms)))
    if name in policy.arms:
        return Target(name, dict.fromkeys(policy.arms, 0.0) | {name: 1.0})
    version = int(name.removeprefix(VERSION))
    if version == policy.version:
        return Target(name, {}, lambda: believed_at_start(version))
    return Target(name, {}, lambda: believed(version))


def _on_terms(name: str, policy: BanditPolicy) -> Callable[[], Bandit]:
    kinds = {field.name: _KINDS.get(field.name, float) for field in fields(Terms)} | {"keep": float}
    kinds["half_life_days"] = lambda text: None if text == "none" else float(text)
    asked = _pairs(name.removeprefix(TERMS), TERMS, kinds)
    keep = asked.pop("keep", 1.0)
    other = on_terms(policy, replace(terms_of(policy), **asked), keep=dict.fromkeys(policy.arms, keep))
    return lambda: believed_at_start(policy.version, on=other, keep=keep)


def _pairs(text: str, kind: str, kinds: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
    """``a=1,b=2`` read by the reader of each name. Raises ``InvalidInput``."""
    found: dict[str, Any] = {}
    for pair in filter(None, text.split(",")):
        key, _, value = (part.strip() for part in pair.partition("="))
        if key not in kinds:
            raise InvalidInput(f"{kind} knows no {key!r}; it knows: {', '.join(sorted(kinds))}.")
        try:
            found[key] = kinds[key](value.lower())
        except (ValueError, KeyError):
            raise InvalidInput(f"{kind}{key} cannot be {value!r}.") from None
    return found


def _written(value: object) -> str:
    return "none" if value is None else str(value).lower()
