"""Why a film is in its slot, from the arm that placed it and the films that led it there."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from typing import NamedTuple

import numpy as np

from apps.algorithms.types import LIKED_FROM, Float64, History, Int64
from apps.recommendations.paths import Shared, sentence
from apps.recommendations.placing import Placed
from apps.recommendations.slates import Reason
from apps.training.registry import Engine

POPULAR = Reason("popular", "Popular with everyone here")
TOGETHER = Reason("because_you_rated", "Fits all that you rated, taken together")
N_FILMS = 3
# Films of a genre that a viewer liked, from which on it is one that they often rate.
OFTEN = 3
# How far down the films that raised a score a liked one is looked for.
N_LOOKED_AT = 10
# By kind, what an arm says of a film by placing it: with a film that the viewer liked, and without one.
CLAIMS = {
    "hidden_gem": ("A hidden gem for people who liked {}", "A hidden gem: highly rated, by few people"),
    "unexpected": ("Off your usual path: liked by people who liked {}", "Off your usual path"),
}


class Lead(NamedTuple):
    """What led an arm to a film, before titles are known.

    ``liked`` and ``rated`` are films of the viewer's that raised the film's score, strongest first:
    those with 4 stars or more, and the others. ``genre`` is looked up only where these do not say
    enough: the film's genre that most films of the history share, or of those that led an arm to it that
    goes ``by_genre`` alone. ``is_often_liked`` says that the viewer liked ``OFTEN`` films of it or more.
    ``shared`` is what the film and one of ``movie_ids`` have in common, of an arm that goes by that.
    ``claim`` is one of ``CLAIMS``, or empty. ``by_history`` says that what the viewer rated had a part in it.
    """

    liked: tuple[int, ...] = ()
    rated: tuple[int, ...] = ()
    genre: str | None = None
    by_genre: bool = False
    is_often_liked: bool = False
    shared: Shared | None = None
    claim: str = ""
    by_history: bool = False

    @property
    def movie_ids(self) -> tuple[int, ...]:
        return self.liked + self.rated


def leads_of(engine: Engine, placed: Placed, history: History) -> list[Lead]:
    """One lead for each placement, in order. Each arm is asked once, about all films it placed."""
    leads = [Lead()] * len(placed.placements)
    for algorithm, folded in placed.folds.items():
        if not engine.arms[algorithm].personal:
            continue
        spots = [spot for spot, one in enumerate(placed.placements) if one.algorithm == algorithm]
        items = np.array([placed.placements[spot].item for spot in spots], dtype=np.int64)
        claims = _claims(engine, algorithm, items, history)
        found: Iterable[Lead] = repeat(Lead(), len(items))
        if folded.is_personal:
            found = _leads(engine, algorithm, items, folded.contributions(items), history)
        for spot, lead, claim in zip(spots, found, claims, strict=True):
            leads[spot] = lead._replace(claim=claim)
    return leads


def reason_of(lead: Lead, titles: Mapping[int, str], *, similar: bool = False) -> Reason:
    """The reason in words. ``titles`` holds the films that may be named, by id.

    ``similar`` says that the history is one film whose likes are wanted.
    """
    liked = tuple([movie_id for movie_id in lead.liked if movie_id in titles])
    if lead.shared and lead.shared.movie_id in titles:
        return _path_reason(lead.shared, titles, liked)
    if similar and liked:
        return Reason("similar", f"Liked by people who liked {titles[liked[0]]}", liked)
    if similar and lead.genre:
        return Reason("genre", f"More {lead.genre}", genre=lead.genre)
    if lead.by_genre and lead.genre:
        often = ", which you often rate" if lead.is_often_liked else ""
        return Reason("genre", f"More {lead.genre}{often}", genre=lead.genre)
    if liked:
        return _liked_reason(lead.claim, titles[liked[0]], liked)
    if lead.claim:
        return Reason(lead.claim, CLAIMS[lead.claim][1])
    rated = tuple([movie_id for movie_id in lead.rated if movie_id in titles])
    if rated:
        return Reason("because_you_rated", f"Because you rated {titles[rated[0]]}", rated)
    return TOGETHER if lead.by_history and not similar else POPULAR


def _liked_reason(claim: str, title: str, liked: tuple[int, ...]) -> Reason:
    if claim:
        return Reason(claim, CLAIMS[claim][0].format(title), liked)
    return Reason("because_you_liked", f"Because you liked {title}", liked)


def _path_reason(shared: Shared, titles: Mapping[int, str], liked: tuple[int, ...]) -> Reason:
    others = tuple([movie_id for movie_id in liked if movie_id != shared.movie_id])
    text = sentence(shared, titles[shared.movie_id])
    return Reason("path", text, (shared.movie_id, *others), path=shared)


def led_by(engine: Engine, algorithm: str, item: int, history: History) -> list[tuple[int, float]]:
    """(film id, contribution) for every film of the history, the one that did most first."""
    led = engine.arms[algorithm].contributions(history, np.array([item], dtype=np.int64))[0]
    ids = engine.items.ids[history.items]
    return [(int(ids[spot]), float(led[spot])) for spot in np.argsort(-led, kind="stable")]


def _leads(engine: Engine, algorithm: str, items: Int64, led: Float64, history: History) -> Iterator[Lead]:
    ids = engine.items.ids[history.items].tolist()
    is_liked = (history.values >= LIKED_FROM).tolist()
    orders = _strongest(led)
    n_raises = (np.take_along_axis(led, orders, axis=1) > 0).sum(axis=1).tolist()
    for row, (item, order) in enumerate(zip(items.tolist(), orders.tolist(), strict=True)):
        raises = order[: n_raises[row]]
        liked: list[int] = []
        rated: list[int] = []
        for spot in raises:
            (liked if is_liked[spot] else rated).append(spot)
            if len(liked) == N_FILMS:
                break
        spots = [*liked, *rated[:1]]
        lead = Lead(
            liked=tuple([ids[spot] for spot in liked]),
            rated=tuple([ids[spot] for spot in rated[:1]]),
            shared=_shared(engine, algorithm, item, history.items[spots], led[row, spots]),
            by_history=bool(led[row].any()),
        )
        if algorithm == "genre":
            yield _by_genre(engine, lead, item, raises, history)
        else:
            yield lead if liked else lead._replace(genre=_shared_genre(engine, item, history.items))


def _by_genre(engine: Engine, lead: Lead, item: int, raises: list[int], history: History) -> Lead:
    genre = _shared_genre(engine, item, history.items[raises])
    liked = history.items[history.values >= LIKED_FROM]
    n_liked = engine.genres[liked][:, engine.genre_names.index(genre)].nnz if genre else 0
    return lead._replace(genre=genre, by_genre=True, is_often_liked=n_liked >= OFTEN)


def _claims(engine: Engine, algorithm: str, items: Int64, history: History) -> list[str]:
    """What the arm may say of each film: gems run out, and so do films off the viewer's path."""
    if algorithm == "long_tail":
        return ["hidden_gem" if is_gem else "" for is_gem in engine.is_long_tail[items].tolist()]
    is_off_path = engine.arms[algorithm].unexpected(history, items)
    return ["unexpected" if is_off else "" for is_off in is_off_path.tolist()]


def _shared(engine: Engine, algorithm: str, item: int, entries: Int64, led: Float64) -> Shared | None:
    """What the arm says that the film has in common with one of ``entries``."""
    path = engine.arms[algorithm].path(item, entries, led)
    return Shared(int(engine.items.ids[entries[path.entry]]), path.relation, path.name) if path else None


def _strongest(led: Float64) -> Int64:
    """The ``N_LOOKED_AT`` films of the history that did most for each film, strongest first."""
    n = led.shape[1]
    if n > N_LOOKED_AT:
        orders = np.argpartition(-led, N_LOOKED_AT, axis=1)[:, :N_LOOKED_AT]
    else:
        orders = np.tile(np.arange(n), (len(led), 1))
    ranks = np.argsort(-np.take_along_axis(led, orders, axis=1), axis=1, kind="stable")
    return np.take_along_axis(orders, ranks, axis=1)


def _shared_genre(engine: Engine, item: int, films: Int64) -> str | None:
    """The film's genre that most of ``films`` have; None when they share none."""
    own = engine.genres[item].indices
    if len(own) == 0 or len(films) == 0:
        return None
    counts = np.asarray(engine.genres[films][:, own].sum(axis=0)).ravel()
    return engine.genre_names[own[int(counts.argmax())]] if counts.max() > 0 else None
