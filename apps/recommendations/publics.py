"""Publics that a simulation plays on this site: what their viewers think of the lists they are served."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import numpy as np

from apps.accounts.models import User
from apps.algorithms.registry import ARMS
from apps.algorithms.simulation import EQUAL_ARMS, Answer, Public, Tastes
from apps.algorithms.strategy import DEFAULT_BANDIT_ARMS
from apps.algorithms.types import Float64
from apps.ratings.models import Rating
from apps.ratings.services import begin_ratings
from apps.recommendations.slates import ServedSlate

ARM_NAMES = tuple(sorted(ARMS))
"""Every arm that may place a film: a public of arms has a taste for each, in this order."""
_DRAWABLE = [ARM_NAMES.index(name) for name in DEFAULT_BANDIT_ARMS]
LIKED_STARS = 4.0
"""From which on a rater is said to have liked a film."""


class SitePublic(Protocol):
    """What a simulation asks of the viewers it plays."""

    def begin(self, viewers: Sequence[User], *, n_requests: int, length: int, at: datetime) -> None:
        """Before the first page view: ``n_requests`` lists of up to ``length`` films come from ``at`` on."""
        ...

    def answers(self, request: int, viewer: User, slate: ServedSlate) -> list[Answer]:
        """What the viewer says to the list, as ``Public.answers``."""
        ...

    def means(self, request: int, viewer: User, slate: ServedSlate) -> tuple[float, float]:
        """The mean number of likes of that list, and of the best there could have been."""
        ...


class ArmPublic:
    """Likes by the arm that placed a film, whatever film it is."""

    def __init__(self, tastes: Tastes, rng: np.random.Generator) -> None:
        self._tastes, self._rng = tastes, rng

    def begin(self, viewers: Sequence[User], *, n_requests: int, length: int, at: datetime) -> None:
        tastes = replace(self._tastes, n_arms=len(ARM_NAMES), examined=_examined(length))
        self._public = Public(tastes, n_requests, self._rng)

    def answers(self, request: int, viewer: User, slate: ServedSlate) -> list[Answer]:
        return self._public.answers(request, _arms(slate), slate.context.index)

    def means(self, request: int, viewer: User, slate: ServedSlate) -> tuple[float, float]:
        arms, rates = _arms(slate), self._public.rates(request, slate.context.index)
        examined = np.asarray(self._public.tastes.examined[: len(arms)])
        return float(rates[arms] @ examined), float(rates[_DRAWABLE].max() * examined.sum())


@dataclass(frozen=True)
class FilmTaste:
    """What one person gave films, in stars: those that the site is told of, and those that are held back.

    ``person`` is the row of whoever rated them.
    """

    person: int
    told: Mapping[int, float]
    held_back: Mapping[int, float]

    @property
    def liked(self) -> frozenset[int]:
        """Of the films held back."""
        return frozenset(film for film, stars in self.held_back.items() if stars >= LIKED_STARS)


@dataclass(frozen=True)
class Chances:
    """That a film is liked once it is looked at: one that the viewer would like, and any other."""

    liked: float = 0.6
    other: float = 0.05


class FilmPublic:
    """Likes by the film, whatever arm placed it: a better model is liked better, a useless one less.

    Each viewer has the taste of somebody out of ``tastes``, in an order drawn by ``rng``; of more viewers
    than tastes several have the same.
    """

    def __init__(
        self, tastes: Sequence[FilmTaste], rng: np.random.Generator, chances: Chances | None = None
    ) -> None:
        self._tastes, self._rng, self._chances = tastes, rng, chances or Chances()
        self._liked: dict[int, frozenset[int]] = {}

    def begin(self, viewers: Sequence[User], *, n_requests: int, length: int, at: datetime) -> None:
        """Also tells the site what it is to know of them, as ratings given at ``at``."""
        told = []
        order = self._rng.permutation(len(self._tastes))
        for number, viewer in enumerate(viewers):
            taste = self._tastes[int(order[number % len(order)])]
            self._liked[viewer.pk] = taste.liked
            told += [(viewer.pk, film, stars) for film, stars in taste.told.items()]
        begin_ratings(ratings=told, at=at)
        # How long answers take, which are lost and what is looked at goes by no arm.
        luck = replace(EQUAL_ARMS, n_arms=1, examined=_examined(length))
        self._public = Public(luck, n_requests, self._rng)

    def answers(self, request: int, viewer: User, slate: ServedSlate) -> list[Answer]:
        return self._public.answers_to(request, self._of(viewer, slate))

    def means(self, request: int, viewer: User, slate: ServedSlate) -> tuple[float, float]:
        """The best list would hold nothing but films that the viewer would like."""
        examined = np.asarray(self._public.tastes.examined[: len(slate.slots)])
        return float(self._of(viewer, slate) @ examined), float(self._chances.liked * examined.sum())

    def _of(self, viewer: User, slate: ServedSlate) -> Float64:
        liked = self._liked[viewer.pk]
        return np.array(
            [self._chances.liked if slot.movie_id in liked else self._chances.other for slot in slate.slots]
        )


def tastes_of_raters(rng: np.random.Generator, *, share: float = 1.0, most_told: int = 20) -> list[FilmTaste]:
    """Of a ``share`` of those who came with a data set: half of what they rated is told, at most
    ``most_told`` films, and the other half is held back.

    A model that is to be measured by them must not have learned from the other half: take it out first. Who
    would like nothing of it is left out.
    """
    rated: dict[int, list[tuple[int, float]]] = {}
    rows = Rating.objects.standing().filter(user__is_imported=True).order_by("user_id", "movie_id")
    for person, film, stars in rows.values_list("user_id", "movie_id", "value"):
        rated.setdefault(person, []).append((film, stars or 0.0))
    found = []
    people = list(rated)
    for spot in rng.permutation(len(people))[: round(share * len(people))].tolist():
        person, films = people[spot], rated[people[spot]]
        mixed = [films[number] for number in rng.permutation(len(films)).tolist()]
        half = len(mixed) // 2
        taste = FilmTaste(person, dict(mixed[: min(half, most_told)]), dict(mixed[half:]))
        if taste.liked:
            found.append(taste)
    return found


def _arms(slate: ServedSlate) -> list[int]:
    return [ARM_NAMES.index(slot.algorithm) for slot in slate.slots]


def _examined(length: int) -> tuple[float, ...]:
    """Slots are looked at less the further down they are."""
    return tuple(1 / (1 + 0.25 * slot) for slot in range(length))
