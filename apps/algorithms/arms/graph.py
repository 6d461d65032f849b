"""Films that a walk over people, keywords, genres and ratings comes to from those that a viewer watched."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from apps.algorithms.arms.learned import PersonalArm
from apps.algorithms.arms.parameters import PersonalSettings, choice, optional_real, real, whole
from apps.algorithms.arms.things import PART, Things, telling_things, things_of
from apps.algorithms.arms.walking import Bridge, bridge, walk, walk_again
from apps.algorithms.base import Path
from apps.algorithms.deltas import Delta
from apps.algorithms.matrices import dense_block, pack_csr, sum_rows, unpack_csr, with_rows
from apps.algorithms.popularity import people_counts
from apps.algorithms.texts import pack_texts, text_at
from apps.algorithms.types import Arrays, Float32, Float64, Int64, Interactions
from apps.algorithms.weights import SIGNALS, interaction_matrix

_MANY = 4
"""With more than one film in so many to walk from, all walks are made."""
_BY_PEOPLE = 0.5
"""A thing goes on to its films in proportion to this power of 1 + the people who rated them."""


@dataclass(frozen=True)
class GraphSettings(PersonalSettings):
    signal: str = choice("graded", options=SIGNALS)
    half_life: float | None = optional_real(6.0, low=0.5, high=10_000)
    neighbours: int = whole(300, low=1, high=10_000)
    restart: float = real(0.9, low=0.2, high=1.0)
    things: float = real(0.6, low=0.0, high=1.0)
    shrink: float = real(50.0, low=0.0, high=100_000)
    discount: float = real(0.4, low=0.0, high=2.0)
    people_weight: float = real(1.0, low=0.0, high=100.0)
    keyword_weight: float = real(0.4, low=0.0, high=100.0)
    genre_weight: float = real(1.0, low=0.0, high=100.0)
    origin_weight: float = real(0.8, low=0.0, high=100.0)


class Graph(PersonalArm):
    """A random walk with restart over films, the things that they share, and people who rated them.

    From a film the walker goes to one of its things (``things`` of the walks; an edge is as likely as its
    weight) or to somebody who rated it, and from there to another film; with the chance ``restart`` it
    ends, else it goes on: ``R = restart * sum_t (1 - restart)^(t-1) P^t`` (Tong, Faloutsos and Pan 2006).
    A row is truncated to its ``neighbours`` strongest films after a film that ``n`` people rated has lost
    the factor ``n^-discount`` (RP3beta; Paudel et al. 2017), else everything leads to what everybody
    watched. ``scores = x R`` for a viewer's weighted row ``x``.

    Parameters
    ----------
    signal, half_life
        How ratings weigh, see ``apps.algorithms.weights``; half-life 0.5 to 10,000 or None.
    neighbours
        Films kept per row, 1 to 10,000.
    restart
        Chance that a walk ends after a step from film to film, 0.2 to 1.
    things
        Share of steps by way of things rather than people who rated, 0 to 1. A film without things, or
        without ratings, goes the other way alone.
    shrink
        Average films at which walks by way of a thing end, 0 to 100,000: what keeps the other film of a
        rare director from taking all.
    discount
        How much popular films lose, 0 to 2.
    people_weight, keyword_weight, genre_weight, origin_weight
        Weights of a film's edges, 0 to 100: to people of the cast and crew; to keywords, series and
        companies; to genres; to decade, language, country, certificate and awards.
    """

    name = "graph"
    settings_class = GraphSettings
    settings: GraphSettings
    _rows: sparse.csr_matrix
    _things: sparse.csr_matrix

    @property
    def n_items(self) -> int:
        return int(self.arrays_["rows_shape"][0])

    def _learn(self, interactions: Interactions, rng: np.random.Generator) -> Arrays:
        settings = self.settings
        things = things_of(interactions.features, self._weights())
        bridges, scales = self._ways(interactions, things)
        rows = walk(bridges, scales, restart=settings.restart, keep=settings.neighbours)
        return {**pack_csr("rows", rows), **_pack_things(things)}

    def _updated(self, delta: Delta, rng: np.random.Generator) -> Arrays:
        """Walks from films rated anew, or of which the catalogue tells otherwise; the rest stays."""
        films = np.union1d(delta.rated, delta.described)
        if len(films) * _MANY > delta.after.n_items:
            return self._learn(delta.after, rng)
        settings, arrays = self.settings, self.arrays_
        things = things_of(delta.after.features, self._weights())
        bridges, scales = self._ways(delta.after, things)
        rows = delta.moved_square(self._rows)
        before = sparse.csr_matrix(rows)
        before.data = before.data / delta.carried(self._scales(delta.before), 1.0)[before.indices]
        again = walk_again(bridges, films, before, scales, restart=settings.restart, keep=settings.neighbours)
        is_same = len(delta.described) == 0 and delta.is_of_same_films
        told = {name: arrays[name] for name in arrays if not name.startswith("rows")}
        return {
            **pack_csr("rows", with_rows(rows, films, again)),
            **(told if is_same else _pack_things(things)),
        }

    def _ways(
        self, interactions: Interactions, things: Things
    ) -> tuple[list[tuple[Float32, Bridge]], Float32]:
        """The bridges, and what each film loses for being popular."""
        ratings = sparse.csr_matrix(interaction_matrix(interactions, self.settings.signal).T)
        people = people_counts(interactions.ratings, interactions.weights)
        return self._bridges(things, ratings, people), self._scales(interactions)

    def _scales(self, interactions: Interactions) -> Float32:
        people = people_counts(interactions.ratings, interactions.weights)
        return (np.maximum(people, 1.0) ** -self.settings.discount).astype(np.float32)

    def _weights(self) -> Mapping[str, float]:
        settings = self.settings
        return {
            "people": settings.people_weight,
            "keyword": settings.keyword_weight,
            "genre": settings.genre_weight,
            "origin": settings.origin_weight,
        }

    def _bridges(
        self, things: Things, ratings: sparse.csr_matrix, people: Float64
    ) -> list[tuple[Float32, Bridge]]:
        """The two ways from film to film, and how often each film goes either."""
        onward = sparse.diags((1.0 + people) ** _BY_PEOPLE) @ (things.matrix > 0).astype(np.float32)
        has_things, has_ratings = (np.diff(edges.indptr) > 0 for edges in (things.matrix, ratings))
        share = np.where(has_ratings, self.settings.things, 1.0) * has_things
        return [
            (share.astype(np.float32), bridge(things.matrix, onward, self.settings.shrink)),
            ((has_ratings - share * has_ratings).astype(np.float32), bridge(ratings, ratings)),
        ]

    def _adopt(self, arrays: Arrays) -> None:
        super()._adopt(arrays)
        self._rows = unpack_csr("rows", self.arrays_)
        self._things = unpack_csr("things", self.arrays_)

    def _fold_in(self, entries: Int64, weights: Float32) -> Float32:
        return sum_rows(self._rows, entries, weights)

    def _shares(self, entries: Int64, weights: Float32, items: Int64) -> Float64:
        asked, places = np.unique(items, return_inverse=True)
        led = dense_block(self._rows, entries, asked)[:, places].T
        return np.asarray(led * weights, dtype=np.float64)

    def path(self, item: int, entries: Int64, led: Float64) -> Path | None:
        arrays = self.arrays_
        own = dict(self._telling(item))
        shared = [
            (added * telling, entry, thing)
            for entry, (film, added) in enumerate(zip(entries.tolist(), led.tolist(), strict=True))
            for thing, telling in self._telling(film)
            if thing in own
        ]
        if not shared:
            return None
        _, entry, thing = max(shared, key=lambda one: one[0])
        relation, _, name = text_at("names", arrays, thing).partition(PART)
        return Path(entry, relation, name)

    def _telling(self, film: int) -> Iterator[tuple[int, float]]:
        """The film's things that are worth naming, and how much each tells."""
        # Few at a time: scipy's own indexing costs a hundred times the reading.
        held = slice(self._things.indptr[film], self._things.indptr[film + 1])
        return zip(self._things.indices[held].tolist(), self._things.data[held].tolist(), strict=True)


def _pack_things(things: Things) -> Arrays:
    telling = telling_things(things)
    return {**pack_csr("things", telling.matrix), **pack_texts("names", telling.names)}
