"""The lists that variants would make for one viewer, before they serve anybody.

Which room makes lists registers in ``ready()``; it is not called by name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from apps.accounts.models import User
from apps.algorithms.strategy import Strategy


@dataclass(frozen=True)
class PreviewedFilm:
    """``algorithm`` is the arm that placed it, ``reason`` what the viewer would read."""

    movie_id: int
    title: str
    algorithm: str
    reason: str


@dataclass(frozen=True)
class PreviewedSlate:
    """``degraded`` is why popular films stand in for the strategy's; empty where they do not."""

    films: Sequence[PreviewedFilm]
    degraded: str


Previewer = Callable[[User, Sequence[tuple[Strategy, str]], int], list[PreviewedSlate]]
"""Given a viewer, strategies with their recipes, and how many films: the list of each, not logged."""

_previewers: list[Previewer] = []


def register_previewer(previewer: Previewer) -> None:
    if _previewers:
        raise ImproperlyConfigured("There is a previewer already")
    _previewers.append(previewer)


def preview(viewer: User, serving: Sequence[tuple[Strategy, str]], n: int) -> list[PreviewedSlate]:
    (previewer,) = _previewers
    return previewer(viewer, serving, n)
