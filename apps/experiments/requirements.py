"""What a policy must keep to besides its schema, as the rooms that serve it say, and the recipes it may name.

Each of them registers in ``ready()``; no room is called by name.
"""

from collections.abc import Callable, Sequence

from django.core.exceptions import ImproperlyConfigured

from apps.algorithms.strategy import Strategy

PolicyCheck = Callable[[Strategy, str], None]
"""Given a strategy and a recipe's name. Raises ``InvalidInput`` naming what to do, at ``/recipe`` or
``/strategy``, when they could not serve."""

RecipeGate = Callable[[str, str], None]
"""Given a recipe's name and that of the recipe that serves everybody. Raises ``Conflict`` for one that has
not proved itself enough to take its place at once."""

_MOST_NAMED = 20
_gates: list[RecipeGate] = []
_checks: dict[str, PolicyCheck] = {}
_recipe_lists: list[Callable[[], Sequence[str]]] = []


def register_policy_check(name: str, check: PolicyCheck) -> None:
    if name in _checks:
        raise ImproperlyConfigured(f"There is a policy check {name!r} already")
    _checks[name] = check


def register_recipes(names: Callable[[], Sequence[str]]) -> None:
    """``names`` gives the recipes that there are, for forms to choose from."""
    _recipe_lists.append(names)


def register_recipe_gate(gate: RecipeGate) -> None:
    _gates.append(gate)


def require_proved(recipe: str, *, serving: str) -> None:
    """Raises what a gate refuses; nothing for the recipe that serves."""
    for gate in _gates if recipe != serving else ():
        gate(recipe, serving)


def require_servable(strategy: Strategy, recipe: str) -> None:
    """Raises what the first check refuses, in the order of registration: lower rooms first."""
    for check in _checks.values():
        check(strategy, recipe)


def recipe_names() -> list[str]:
    return [name for names in _recipe_lists for name in names()]


def unknown_recipe(name: str) -> str:
    """A sentence where there is no recipe of that name; empty where there is, or none is named."""
    known = sorted(recipe_names()) if name else []
    if name in ("", *known):
        return ""
    return f"There is no recipe {name!r}; the recipes are: {', '.join(known[:_MOST_NAMED]) or 'none yet'}."
