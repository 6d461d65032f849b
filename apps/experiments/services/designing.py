"""Setting up an experiment, and changing it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any, get_args

from django.db import IntegrityError, transaction

from apps.algorithms.context import UserSegment
from apps.algorithms.registry import ARMS
from apps.algorithms.strategy import InvalidStrategy, parse_strategy
from apps.core import clock
from apps.core.errors import Conflict, FieldError, InvalidInput, NotFound
from apps.core.services import Actor, record_audit
from apps.experiments.metrics import GOALS, METRICS, default_guardrails
from apps.experiments.models import Experiment, Layer, Variant
from apps.experiments.planning import foreseen_units
from apps.experiments.plans import Plan, plan_with, planned
from apps.experiments.ramping import steps_of
from apps.experiments.services.checklist import require_checked
from apps.experiments.services.phases import begin_phase, open_phase

WEIGHT_TOLERANCE = 1e-9
MOST_VARIANTS = 10
MOST_NAME, MOST_SLUG, MOST_DESCRIPTION = 120, 60, 200
SEGMENTS: tuple[str, ...] = get_args(UserSegment)


@dataclass(frozen=True)
class VariantDesign:
    """``strategy`` or ``recipe``, as the layer is; the other is empty."""

    name: str
    weight: float
    is_control: bool = False
    strategy: Mapping[str, Any] | None = None
    recipe: str = ""
    description: str = ""


@dataclass(frozen=True)
class Design:
    """All that staff say of an experiment; fields as in ``Experiment``."""

    key: str
    name: str
    layer: str
    variants: tuple[VariantDesign, ...]
    goals: tuple[str, ...] = ("ctr",)
    guardrails: Mapping[str, float] = field(default_factory=default_guardrails)
    hypothesis: str = ""
    range_start: float = 0.0
    range_end: float = 1.0
    segments: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    age_from_days: float | None = None
    age_to_days: float | None = None
    min_effect: float = 0.05
    alpha: float = 0.05
    power: float = 0.8
    test: str = Experiment.Test.PLANNED.value
    horizon_days: int = 28
    ramp: tuple[Mapping[str, Any], ...] = ()
    only_differing: bool = False
    dry_run: bool = False
    purpose: str = Experiment.Purpose.COMPARE.value
    pinned_recipe: str = ""


def design_of(experiment: Experiment) -> Design:
    """What the rows say. One query."""
    said: dict[str, Any] = {name: getattr(experiment, name) for name in _COLUMNS}
    said = {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}
    said["variants"] = tuple(
        VariantDesign(**{name: getattr(one, name) for name in _VARIANT})
        for one in experiment.variants.order_by("-is_control", "name")
    )
    return Design(key=experiment.key, layer=experiment.layer_id, **said)


def plan_of_design(design: Design) -> Plan:
    """The plan that a phase would be frozen to. Of one that ``check_design`` takes."""
    experiment = Experiment(key=design.key, layer_id=design.layer, **_columns(design))
    return plan_with(experiment, [Variant(**asdict(one)) for one in design.variants])


def check_design(design: Design) -> None:
    """Raises ``InvalidInput`` with everything that is wrong with it by itself."""
    errors = [
        *_shape_errors(design),
        *_recipe_errors(design),
        *_variant_errors(design),
        *_metric_errors(design),
    ]
    try:
        steps_of(design.ramp)
    except InvalidInput as refusal:
        errors.extend(refusal.errors)
    if errors:
        raise InvalidInput(errors[0].detail, errors=errors)


@transaction.atomic
def create_experiment(*, design: Design, by: Actor | None) -> Experiment:
    """A draft; ``by`` None is an operator at the command line.

    Raises ``InvalidInput``, and ``Conflict`` for a key that is taken.
    """
    check_design(design)
    experiment = Experiment(
        key=design.key,
        layer=_layer(design.layer),
        created_by=by.get_username() if by else "",
        **_columns(design),
    )
    try:
        with transaction.atomic():
            experiment.save(force_insert=True)
    except IntegrityError:
        raise Conflict(f"There is an experiment {design.key!r} already: choose another key.") from None
    _write_variants(experiment, design.variants)
    record_audit("experiments.create", by=by, target=experiment, after=_audited(design))
    return experiment


@transaction.atomic
def change_experiment(
    *, design: Design, by: Actor | None, reason: str = "", expected_version: int | None = None
) -> Experiment:
    """Changes a draft; of one that runs or is paused a change of the plan begins a new phase.

    What the phase before counted is never pooled with the new one. Key and layer stay. Raises
    ``InvalidInput``, ``NotFound``, and ``Conflict`` for one that has ended, that somebody changed, started or
    paused since ``expected_version``, or that could not start with such a plan.
    """
    check_design(design)
    experiment = lock_experiment(design.key)
    require_version(experiment, expected_version)
    if experiment.state in (Experiment.State.COMPLETED, Experiment.State.ROLLED_BACK):
        raise Conflict(f"{experiment} has ended, and stays as it was: make a new experiment.")
    if experiment.layer_id != design.layer:
        raise InvalidInput.of("/layer", "The layer stays as it was made: make a new experiment.")
    before, after = _audited(design_of(experiment)), _audited(design)
    changed = [name for name in after if before[name] != after[name]]
    if not changed:
        return experiment
    _require_same_rollout(experiment, changed)
    for name, value in _columns(design).items():
        setattr(experiment, name, value)
    experiment.version += 1
    experiment.save(update_fields=[*_COLUMNS, "version"])
    experiment.variants.all().delete()
    _write_variants(experiment, design.variants)
    phase = open_phase(experiment)
    if phase is not None and planned(experiment).digest != phase.digest:
        require_checked(experiment, act="change", reason=reason)
        experiment.planned_units = foreseen_units(planned(experiment), clock.now())
        experiment.save(update_fields=["planned_units"])
        begin_phase(experiment, by=by, reason=reason)
    record_audit(
        "experiments.change",
        by=by,
        target=experiment,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
        reason=reason,
    )
    return experiment


def _require_same_rollout(experiment: Experiment, changed: Sequence[str]) -> None:
    """Whom a rollout serves what is not changed under way: it was tested and asked for as it is."""
    if experiment.purpose == Experiment.Purpose.COMPARE or experiment.state == Experiment.State.DRAFT:
        return
    fixed = [name for name in changed if name in _FIXED_IN_ROLLOUTS]
    if fixed:
        raise Conflict(
            f"{experiment} is a rollout, and stays as it is ({', '.join(fixed)}): roll it back, and ask for"
            " another one."
        )


@transaction.atomic
def delete_experiment(*, key: str, by: Actor) -> None:
    """Deletes a draft. Raises ``NotFound``, and ``Conflict`` for one that has ever run."""
    experiment = lock_experiment(key)
    if experiment.state != Experiment.State.DRAFT or experiment.phases.exists():
        raise Conflict(f"{experiment} has run, and what it found is kept: only drafts can be deleted.")
    record_audit("experiments.delete", by=by, target=experiment, before=_audited(design_of(experiment)))
    experiment.delete()


def lock_experiment(key: str) -> Experiment:
    """The row, locked to the end of the transaction. Raises ``NotFound``."""
    found = Experiment.objects.select_for_update().filter(pk=key).first()
    if found is None:
        raise NotFound(f"There is no experiment {key!r}.")
    return found


def require_version(experiment: Experiment, expected: int | None) -> None:
    if expected not in (None, experiment.version):
        raise Conflict(
            f"{experiment} was changed meanwhile: it is at version {experiment.version}, not {expected}. "
            "Look at it again."
        )


_COLUMNS = tuple(name for name in Design.__dataclass_fields__ if name not in ("key", "layer", "variants"))
_FIXED_IN_ROLLOUTS = (
    "variants",
    "range_start",
    "range_end",
    "segments",
    "languages",
    "age_from_days",
    "age_to_days",
    "ramp",
    "purpose",
)
_VARIANT = tuple(VariantDesign.__dataclass_fields__)
_SLUG = f"up to {MOST_SLUG} letters, digits, hyphens and underscores"


def _columns(design: Design) -> dict[str, Any]:
    values = {name: getattr(design, name) for name in _COLUMNS}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _audited(design: Design) -> dict[str, Any]:
    found: dict[str, Any] = asdict(design)
    return found


def _layer(kind: str) -> Layer:
    return Layer.objects.get_or_create(kind=kind)[0]


def _write_variants(experiment: Experiment, variants: Sequence[VariantDesign]) -> None:
    Variant.objects.bulk_create(Variant(experiment=experiment, **asdict(one)) for one in variants)


def _recipe_errors(design: Design) -> list[FieldError]:
    errors = []
    if design.purpose not in Experiment.Purpose.values:
        said = f"Choose a purpose: {', '.join(Experiment.Purpose.values)}."
        errors.append(FieldError("/purpose", said))
    is_recipe = design.layer == Layer.Kind.RECIPE
    takes_place = is_recipe and len(design.variants) == 2
    if not errors and design.purpose != Experiment.Purpose.COMPARE and not takes_place:
        said = "A rollout is of recipes, with a control and the recipe that is to take its place."
        errors.append(FieldError("/purpose", said))
    if design.pinned_recipe and is_recipe:
        errors.append(FieldError("/pinned_recipe", "Variants name the recipes here: pin none."))
    elif design.pinned_recipe and not _is_slug(design.pinned_recipe):
        errors.append(FieldError("/pinned_recipe", f"A recipe's name has {_SLUG}."))
    return errors


def _is_slug(name: str) -> bool:
    return re.fullmatch(f"[-a-zA-Z0-9_]{{1,{MOST_SLUG}}}", name) is not None


def _shape_errors(design: Design) -> list[FieldError]:
    errors = []
    if not _is_slug(design.key):
        errors.append(FieldError("/key", f"A key has {_SLUG}."))
    if len(design.name) > MOST_NAME:
        errors.append(FieldError("/name", f"A name has up to {MOST_NAME} letters."))
    if design.layer not in Layer.Kind.values:
        errors.append(FieldError("/layer", f"Choose a layer: {', '.join(Layer.Kind.values)}."))
    if not 0 <= design.range_start < design.range_end <= 1:
        errors.append(FieldError("/range_end", "A range goes from 0 to 1, and ends above where it starts."))
    wrong = [one for one in design.segments if one not in SEGMENTS]
    if wrong:
        errors.append(FieldError("/segments", f"There is no segment {wrong[0]!r}: {', '.join(SEGMENTS)}."))
    wrong = [one for one in design.languages if not re.fullmatch("[a-z]{2,3}", one)]
    if wrong:
        said = f"A language is two or three small letters such as en, not {wrong[0]!r}."
        errors.append(FieldError("/languages", said))
    ages = design.age_from_days, design.age_to_days
    if any(age is not None and not 0 <= age < 100_000 for age in ages):
        errors.append(FieldError("/age_from_days", "An age is a number of days from 0."))
    elif None not in ages and ages[0] > ages[1]:  # type: ignore[operator] # neither is None
        errors.append(FieldError("/age_to_days", "The highest age is not below the lowest."))
    return errors


def _variant_errors(design: Design) -> list[FieldError]:
    errors = []
    variants = design.variants
    if not 2 <= len(variants) <= MOST_VARIANTS:
        errors.append(FieldError("/variants", f"An experiment has 2 to {MOST_VARIANTS} variants."))
    names = [one.name for one in variants]
    if len(set(names)) < len(names):
        errors.append(FieldError("/variants", "Each variant has a name of its own."))
    errors.extend(_role_errors(variants))
    if not all(isfinite(one.weight) and 0 <= one.weight <= 1 for one in variants):
        errors.append(FieldError("/variants", "A weight lies between 0 and 1."))
    else:
        total = sum(one.weight for one in variants)
        if abs(total - 1) > WEIGHT_TOLERANCE:
            errors.append(FieldError("/variants", f"Make the weights sum to 1; they sum to {total:g}."))
    for number, one in enumerate(variants):
        if not _is_slug(one.name):
            errors.append(FieldError(f"/variants/{number}/name", f"A variant's name has {_SLUG}."))
        if len(one.description) > MOST_DESCRIPTION:
            said = f"A description has up to {MOST_DESCRIPTION} letters."
            errors.append(FieldError(f"/variants/{number}/description", said))
        errors.extend(_content_errors(design.layer, one, f"/variants/{number}"))
    return errors


def _role_errors(variants: Sequence[VariantDesign]) -> list[FieldError]:
    controls = [one for one in variants if one.is_control]
    others = [one for one in variants if not one.is_control]
    if len(controls) != 1:
        said = "One variant is the control, and only one."
    elif controls[0].weight == 0:
        said = "The control needs a weight above 0: all else is read beside it."
    elif others and not any(one.weight > 0 for one in others):
        said = "A variant beside the control needs a weight above 0."
    else:
        return []
    return [FieldError("/variants", said)]


def _content_errors(layer: str, variant: VariantDesign, pointer: str) -> list[FieldError]:
    if layer == Layer.Kind.RECIPE:
        if not _is_slug(variant.recipe) or variant.strategy is not None:
            return [FieldError(f"{pointer}/recipe", "Of recipes a variant names one, and no strategy.")]
        return []
    if variant.strategy is None or variant.recipe:
        return [FieldError(f"{pointer}/strategy", "Of strategies a variant has one, and no recipe.")]
    try:
        parse_strategy(variant.strategy, ARMS)
    except InvalidStrategy as refusal:
        return [FieldError(f"{pointer}/strategy{at}", detail) for at, detail in refusal.errors]
    return []


def _metric_errors(design: Design) -> list[FieldError]:
    errors = []
    unknown = [name for name in design.goals if name not in GOALS]
    if not design.goals or unknown or len(set(design.goals)) < len(design.goals):
        said = f"Name one goal or more, each once, of: {', '.join(GOALS)}."
        errors.append(FieldError("/goals", said))
    guardrails: object = design.guardrails
    if not isinstance(guardrails, Mapping):
        return [*errors, FieldError("/guardrails", 'Give an object such as {"ctr": 0.15}.')]
    for name, margin in guardrails.items():
        if name not in METRICS:
            errors.append(FieldError(f"/guardrails/{name}", f"Choose of: {', '.join(METRICS)}."))
        elif not isinstance(margin, int | float) or isinstance(margin, bool) or not 0 < margin <= 1:
            errors.append(FieldError(f"/guardrails/{name}", "A margin lies above 0 and up to 1."))
    bounds = {"min_effect": (0.001, 10.0), "alpha": (0.001, 0.2), "power": (0.5, 0.99)}
    for name, (low, high) in bounds.items():
        if not low <= getattr(design, name) <= high:
            errors.append(FieldError(f"/{name}", f"This lies between {low:g} and {high:g}."))
    if design.test not in Experiment.Test.values:
        errors.append(FieldError("/test", f"Choose a test: {', '.join(Experiment.Test.values)}."))
    if not 1 <= design.horizon_days <= 365:
        errors.append(FieldError("/horizon_days", "A horizon is 1 to 365 days."))
    return errors
