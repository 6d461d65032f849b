"""Unfold's decorators for columns and actions, with types, which it ships none of."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.utils.text import Truncator
from unfold.decorators import action, display

Function = TypeVar("Function", bound=Callable[..., Any])
SHOWN = 90


def column(
    title: str, *, ordering: object = None, label: Mapping[str, str] | None = None
) -> Callable[[Function], Function]:
    """A method as a column. ``label`` gives values a colour: success, info, warning, danger."""
    decorated: Callable[[Function], Function] = display(description=title, ordering=ordering, label=label)
    return decorated


def beginning(text: str) -> str:
    """Of a long text what a list has room for: its row's page has it whole."""
    return Truncator(text).chars(SHOWN, "…") or "–"


def list_action(title: str, *, permissions: Sequence[str]) -> Callable[[Function], Function]:
    """A method, or a function that ``offer_action`` takes, as an action on chosen rows."""
    decorated: Callable[[Function], Function] = action(description=title, permissions=permissions)
    return decorated
