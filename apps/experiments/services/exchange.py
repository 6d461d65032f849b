"""Designs as JSON: written for another site or for keeping, and read again as drafts.

    {"schema": 1, "experiments": [{"key": "…", "name": "…", "layer": "strategy", "variants": […], …}]}

Each experiment has the fields of ``Design``, each variant those of ``VariantDesign``. What is left out takes
its default; what is unknown is refused. docs/AB_TESTING_GUIDE.md has an example.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from math import isfinite
from typing import Any

from django.db import transaction

from apps.core.errors import Conflict, FieldError, InvalidInput, NotFound
from apps.core.services import Actor
from apps.experiments.models import Experiment
from apps.experiments.requirements import unknown_recipe
from apps.experiments.services.designing import (
    Design,
    VariantDesign,
    change_experiment,
    check_design,
    create_experiment,
    design_of,
)

SCHEMA = 1
MOST_EXPERIMENTS = 200


@dataclass(frozen=True)
class Imported:
    """Keys, in the order of the document."""

    created: tuple[str, ...]
    replaced: tuple[str, ...]


def design_json(design: Design) -> dict[str, Any]:
    """Whoever reads it with ``import_designs`` has an equal design."""
    said = asdict(design)
    listed = {name: list(value) for name, value in said.items() if isinstance(value, tuple)}
    return {**said, **listed}


def export_designs(keys: Sequence[str] = ()) -> dict[str, Any]:
    """The document of these experiments, of all without keys, by key. Two queries and one for each.

    Raises ``NotFound`` naming the keys that are none.
    """
    rows = Experiment.objects.order_by("key")
    found = list(rows.filter(key__in=keys) if keys else rows)
    missing = sorted(set(keys) - {one.key for one in found})
    if missing:
        raise NotFound(f"There is no experiment {' or '.join(map(repr, missing))}.")
    return {"schema": SCHEMA, "experiments": [design_json(design_of(one)) for one in found]}


@transaction.atomic
def import_designs(document: object, *, by: Actor | None, replace: bool = False) -> Imported:
    """Makes a draft of each experiment of the document, all or none.

    With ``replace`` a draft of the same key is changed to what the document says. Raises ``InvalidInput``
    with all that is wrong, each with its pointer into the document.
    """
    given = _experiments_of(document)
    errors: list[FieldError] = []
    designs = [_design(one, f"/experiments/{number}", errors) for number, one in enumerate(given)]
    states = _states([design.key for design in designs if design])
    seen: set[str] = set()
    for number, design in enumerate(designs):
        if design is not None:
            errors.extend(FieldError(f"/experiments/{number}{at}", said) for at, said in _wrong(design))
            refusal = _key_refusal(design.key, states, seen, replace=replace)
            if refusal:
                errors.append(FieldError(f"/experiments/{number}/key", refusal))
            seen.add(design.key)
    if errors:
        raise InvalidInput(errors[0].detail, errors=errors)
    whole = [design for design in designs if design is not None]
    for number, design in enumerate(whole):
        _write(design, f"/experiments/{number}", by=by, is_new=design.key not in states)
    return Imported(
        created=tuple(one.key for one in whole if one.key not in states),
        replaced=tuple(one.key for one in whole if one.key in states),
    )


def _states(keys: Sequence[str]) -> dict[str, str]:
    """By key, of those that there are; locked, so that a draft is one until it is written."""
    rows = Experiment.objects.select_for_update().filter(key__in=keys).order_by("key")
    return dict(rows.values_list("key", "state"))


def _key_refusal(key: str, states: Mapping[str, str], seen: set[str], *, replace: bool) -> str | None:
    if key in seen:
        return f"The document has {key!r} twice: each experiment has a key of its own."
    if key not in states:
        return None
    if states[key] != Experiment.State.DRAFT:
        state = Experiment.State(states[key]).label.lower()
        return f"There is an experiment {key!r} already, and it is {state}: choose another key."
    return None if replace else f"There is a draft {key!r} already: choose another key, or ask to replace it."


def _wrong(design: Design) -> list[tuple[str, str]]:
    """Pointers into the design, and what is wrong there."""
    try:
        check_design(design)
    except InvalidInput as refusal:
        found = [(one.pointer, one.detail) for one in refusal.errors]
    else:
        found = []
    at = "/pinned_recipe"
    unknown = unknown_recipe(design.pinned_recipe) if at not in dict(found) else ""
    return [*found, (at, unknown)] if unknown else found


def _write(design: Design, at: str, *, by: Actor | None, is_new: bool) -> None:
    try:
        if is_new:
            create_experiment(design=design, by=by)
        else:
            change_experiment(design=design, by=by, reason="Imported")
    except InvalidInput as refusal:
        errors = [FieldError(at + one.pointer, one.detail) for one in refusal.errors]
        raise InvalidInput(refusal.detail, errors=errors) from None
    except Conflict as refusal:
        raise InvalidInput.of(f"{at}/key", refusal.detail) from None


# --- What JSON may say ---------------------------------------------------------------------------


def _experiments_of(document: object) -> Sequence[object]:
    if not isinstance(document, Mapping):
        raise InvalidInput.of("", 'Give an object such as {"schema": 1, "experiments": []}.')
    errors = _unknown(document, ("schema", "experiments"), "")
    if document.get("schema") != SCHEMA or isinstance(document.get("schema"), bool):
        errors.append(FieldError("/schema", f"This program reads schema {SCHEMA}."))
    given = document.get("experiments")
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_EXPERIMENTS:
        errors.append(FieldError("/experiments", f"Give a list of 1 to {MOST_EXPERIMENTS} experiments."))
    if errors or not isinstance(given, list):
        raise InvalidInput(errors[0].detail, errors=errors)
    return given


def _design(given: object, at: str, errors: list[FieldError]) -> Design | None:
    said = _fields_of(Design, given, at, errors)
    if said is None:
        return None
    found = len(errors)
    variants = [
        _fields_of(VariantDesign, one, f"{at}/variants/{number}", errors)
        for number, one in enumerate(said["variants"])
    ]
    if len(errors) > found:
        return None
    said["variants"] = tuple(VariantDesign(**one) for one in variants if one is not None)
    return Design(**said)


def _fields_of(
    shape: type[Design | VariantDesign], given: object, at: str, errors: list[FieldError]
) -> dict[str, Any] | None:
    """What is said of the shape's fields, lists as tuples; None, and why, where something does not fit."""
    if not isinstance(given, Mapping):
        errors.append(FieldError(at, "Give an object."))
        return None
    kinds = _KINDS[shape]
    found = _unknown(given, kinds, at)
    for field in fields(shape):
        needed = field.default is MISSING and field.default_factory is MISSING
        if field.name not in given and needed:
            found.append(FieldError(f"{at}/{field.name}", "This is needed."))
        elif field.name in given and not kinds[field.name].fits(given[field.name]):
            found.append(FieldError(f"{at}/{field.name}", f"Give {kinds[field.name].said}."))
    errors.extend(found)
    if found:
        return None
    return {name: kinds[name].read(value) for name, value in given.items()}


def _unknown(given: Mapping[str, Any], known: Sequence[str] | Mapping[str, Any], at: str) -> list[FieldError]:
    there_are = ", ".join(known)
    return [
        FieldError(f"{at}/{_escaped(name)}", f"There is no field {name!r} here; there are: {there_are}.")
        for name in given
        if name not in known
    ]


def _escaped(name: str) -> str:
    """As a step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True)
class _Kind:
    """What a field takes, in words and by a test, and what is made of it."""

    said: str
    fits: Callable[[Any], bool]
    read: Callable[[Any], Any] = lambda value: value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


_TEXT = _Kind("a text", lambda value: isinstance(value, str))
_TEXTS = _Kind("a list of texts", _are_texts, tuple)
_FLAG = _Kind("true or false", lambda value: isinstance(value, bool))
_NUMBER = _Kind("a number", _is_number, float)
_WHOLE = _Kind("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool))
_AGE = _Kind(
    "a number, or null",
    lambda value: value is None or _is_number(value),
    lambda value: None if value is None else float(value),
)
_LIST = _Kind("a list", lambda value: isinstance(value, list), tuple)
_OBJECT = _Kind("an object", lambda value: isinstance(value, Mapping))
_STRATEGY = _Kind("an object, or null", lambda value: value is None or isinstance(value, Mapping))

_KINDS: Mapping[type[Any], Mapping[str, _Kind]] = {
    VariantDesign: {
        "name": _TEXT,
        "weight": _NUMBER,
        "is_control": _FLAG,
        "strategy": _STRATEGY,
        "recipe": _TEXT,
        "description": _TEXT,
    },
    Design: {
        "key": _TEXT,
        "name": _TEXT,
        "layer": _TEXT,
        "variants": _LIST,
        "goals": _TEXTS,
        "guardrails": _OBJECT,
        "hypothesis": _TEXT,
        "range_start": _NUMBER,
        "range_end": _NUMBER,
        "segments": _TEXTS,
        "languages": _TEXTS,
        "age_from_days": _AGE,
        "age_to_days": _AGE,
        "min_effect": _NUMBER,
        "alpha": _NUMBER,
        "power": _NUMBER,
        "test": _TEXT,
        "horizon_days": _WHOLE,
        "ramp": _LIST,
        "only_differing": _FLAG,
        "dry_run": _FLAG,
        "purpose": _TEXT,
        "pinned_recipe": _TEXT,
    },
}
