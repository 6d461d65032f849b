"""Which experiments a unit is in, and why not: a pure function of the unit, its attributes and what runs.

An experiment lies in a *layer*, whose experiments own disjoint ranges of it: a unit is in one at most.
Its *coverage* is the share of the range that takes part, its *split* who of these gets which variant.
Each of the three has a salt of its own: who is covered says nothing of who gets what, and coverage that grows
moves nobody from one variant to another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from apps.algorithms.assignment import bucket, choose_variant, in_coverage

Kind = Literal["strategy", "recipe"]
"""Of a layer: what its variants decide. No two kinds decide the same, so a unit may be in one of each."""


@dataclass(frozen=True)
class Attributes:
    """What is known of a unit when it is assigned. ``age_days`` is its account's, None for a guest."""

    user_segment: str = ""
    language: str = ""
    age_days: float | None = None
    is_staff: bool = False
    is_imported: bool = False


@dataclass(frozen=True)
class Targeting:
    """Who may take part: all of it must hold. Empty sets and None take anybody; ages are in days, ends in."""

    segments: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    age_from: float | None = None
    age_to: float | None = None

    def refusal(self, attributes: Attributes) -> str | None:
        """Why somebody with these attributes may not; None who may."""
        if self.segments and attributes.user_segment not in self.segments:
            return f"the segment is {attributes.user_segment or 'unknown'}, not {_either(self.segments)}"
        if self.languages and attributes.language not in self.languages:
            return f"the language is {attributes.language or 'unknown'}, not {_either(self.languages)}"
        if self.age_from is None and self.age_to is None:
            return None
        if attributes.age_days is None:
            return "there is no account, and so no age of one"
        if self.age_from is not None and attributes.age_days < self.age_from:
            return f"the account is {attributes.age_days:.1f} days old, less than {self.age_from:g}"
        if self.age_to is not None and attributes.age_days > self.age_to:
            return f"the account is {attributes.age_days:.1f} days old, more than {self.age_to:g}"
        return None


@dataclass(frozen=True)
class Running:
    """An experiment as far as assigning goes.

    ``start`` and ``end``, 0 to 1, bound its range of the layer, the end left out; ``coverage`` is 0 to 1 of
    the range; ``weights`` by variant are 1 in sum. ``overrides`` name a variant by unit. One that
    ``pins_recipe`` decides the recipe too of who is in it.
    """

    key: str
    kind: Kind
    phase: int
    layer_salt: str
    start: float
    end: float
    coverage_salt: str
    coverage: float
    split_salt: str
    weights: Mapping[str, float]
    targeting: Targeting = Targeting()
    overrides: Mapping[str, str] = field(default_factory=dict)
    pins_recipe: bool = False


@dataclass(frozen=True)
class Holdout:
    """The ``share`` of all units that is in no experiment, 0 to 1."""

    salt: str
    share: float


@dataclass(frozen=True)
class Placement:
    """Where a unit stands to one experiment, for the log and for whoever asks why.

    ``variant`` None is not in it, and ``reason`` says why. ``counted`` is False for one who was put there by
    hand. Buckets, 0 to 1, are the unit's places in layer, coverage and split, whether or not they decided.
    """

    key: str
    kind: Kind
    phase: int
    variant: str | None
    counted: bool
    reason: str
    layer_bucket: float
    coverage_bucket: float
    split_bucket: float

    @property
    def is_in(self) -> bool:
        return self.variant is not None


def place(
    unit: str, attributes: Attributes, experiments: Sequence[Running], holdout: Holdout | None = None
) -> list[Placement]:
    """Where the unit stands to each of the experiments, in their order.

    Whoever is put into one by hand is in no other of its layer, and whoever is in one that pins the recipe in
    none of recipes, lest they count there for what they do not get. Of these two the hand comes first.
    """
    held_out = holdout is not None and in_coverage(holdout.salt, unit, holdout.share)
    found = [_place(unit, attributes, experiment, held_out=held_out) for experiment in experiments]
    by_hand: dict[Kind, str] = {}
    for one in found:
        if one.is_in and not one.counted:
            by_hand.setdefault(one.kind, one.key)
    found = [
        _giving_way(one, by_hand.get(one.kind, one.key), "put by hand into {}, of the same layer")
        for one in found
    ]
    pins = {one.key for one in experiments if one.pins_recipe}
    pinning = next((one.key for one in found if one.is_in and one.key in pins), None)
    if pinning is None:
        return found
    if "recipe" in by_hand:
        said = "put by hand into {}, which decides the recipe that this one pins"
        return [_giving_way(one, by_hand["recipe"], said) if one.key == pinning else one for one in found]
    said = "in {}, which pins the recipe"
    return [_giving_way(one, pinning, said) if one.kind == "recipe" else one for one in found]


def _giving_way(placement: Placement, key: str, reason: str) -> Placement:
    """Not in it, unless it is the one of this key."""
    if placement.key == key or not placement.is_in:
        return placement
    return replace(placement, variant=None, counted=False, reason=reason.format(key))


def _place(unit: str, attributes: Attributes, experiment: Running, *, held_out: bool) -> Placement:
    found = Placement(
        key=experiment.key,
        kind=experiment.kind,
        phase=experiment.phase,
        variant=experiment.overrides.get(unit),
        counted=False,
        reason="put there by hand, so not counted",
        layer_bucket=bucket(experiment.layer_salt, unit),
        coverage_bucket=bucket(experiment.coverage_salt, unit),
        split_bucket=bucket(experiment.split_salt, unit),
    )
    if found.is_in:
        return found
    refusal = _refusal(unit, attributes, experiment, found.layer_bucket, held_out=held_out)
    if refusal is not None:
        return replace(found, reason=refusal)
    variant = choose_variant(experiment.split_salt, unit, experiment.weights)
    return replace(found, variant=variant, counted=True, reason="assigned by the split")


def _refusal(
    unit: str, attributes: Attributes, experiment: Running, layer_bucket: float, *, held_out: bool
) -> str | None:
    if attributes.is_imported:
        return "nobody of a data set is in an experiment"
    if attributes.is_staff:
        return "staff are in no experiment, unless they are put there by hand"
    if held_out:
        return "in the holdout, which is in no experiment"
    # A bucket may round to 1: the range that ends there has it.
    if not (experiment.start <= layer_bucket < experiment.end or layer_bucket == experiment.end == 1):
        owned = f"{experiment.start:g} to {experiment.end:g}"
        return f"at {layer_bucket:.4f} of the layer, and the experiment has {owned}"
    targeted = experiment.targeting.refusal(attributes)
    if targeted is not None:
        return f"not targeted: {targeted}"
    if not in_coverage(experiment.coverage_salt, unit, experiment.coverage):
        return f"not among the {experiment.coverage:.4g} of the range that is covered"
    return None


def _either(names: frozenset[str]) -> str:
    return " or ".join(sorted(names))
