"""What people did that a recipe learns from beside explicit ratings, and which list had led to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.db.models import F, Max, QuerySet

from apps.algorithms.types import Bool, Float32, Int64, Source
from apps.events.models import Feedback, Kind
from apps.ratings.history import IMPLIED_BY_INTEREST, implied_stars
from apps.ratings.models import Dismissal, Favorite, Preference, Rating, Thumb, WatchlistItem
from apps.ratings.querysets import CLICK, FAVORITE, THUMB
from apps.training.columns import CHUNK_ROWS, Epoch, read_columns
from apps.training.data import DataParameters
from apps.training.rows import ARM_NAMES, Rows, Said

_PEOPLE_AT_ONCE = 500
_INTEREST = frozenset({Source.WATCHLIST, Source.CLICK})
"""What says nothing any more once the viewer dismissed the film."""
_OPENED = (Kind.CLICK, Kind.VIEW)
ACTS: Mapping[Source, tuple[Kind, ...]] = {
    Source.RATING: (Kind.RATE,),
    Source.THUMB: (Kind.THUMBS_UP, Kind.THUMBS_DOWN),
    Source.FAVORITE: (Kind.FAVORITE,),
    Source.WATCHLIST: (Kind.WATCHLIST,),
    Source.CLICK: _OPENED,
}
"""The acts of the log that leave a source's rows as they stand."""
_MODELS: Mapping[Source, type[Preference]] = {
    Source.RATING: Rating,
    Source.THUMB: Thumb,
    Source.FAVORITE: Favorite,
    Source.WATCHLIST: WatchlistItem,
}


def sources_of(data: DataParameters) -> tuple[Source, ...]:
    """What ``data`` reads, the first counting where a person said several things of one film."""
    weights = source_weights(data)
    return tuple(source for source in Source if weights[source])


def source_weights(data: DataParameters) -> Mapping[Source, float]:
    return {
        Source.RATING: 1.0,
        Source.THUMB: data.thumbs,
        Source.FAVORITE: data.favorites,
        Source.WATCHLIST: data.watchlist,
        Source.CLICK: data.clicks,
    }


def models_of(data: DataParameters) -> tuple[type[Preference], ...]:
    """The tables of preferences that ``data`` reads."""
    sources = sources_of(data)
    held = tuple(_MODELS[source] for source in sources if source in _MODELS)
    return (*held, Dismissal) if _INTEREST.intersection(sources) else held


def departure_kinds(data: DataParameters) -> tuple[str, ...]:
    """The kinds of ``RatingDeparture`` of what ``data`` reads. Who left with their ratings left with the
    tags of these."""
    kinds = tuple(model.KIND for model in models_of(data))
    return (*kinds, CLICK) if Source.CLICK in sources_of(data) else kinds


def complete(ratings: Rows, data: DataParameters, people: Int64 | None = None) -> Rows:
    """``ratings`` and what else ``data`` reads, by person and film, with the lists that led there.

    ``ratings`` are all explicit ones, or those of ``people``, int64; what else these said is read then.
    """
    sources = sources_of(data)
    others = [_READERS[source](people) for source in sources if source != Source.RATING]
    if others:
        rows = _first_of_each(Rows.joined([ratings, *others]))
        rows = rows.take(~_is_dismissed(rows, people)) if _INTEREST.intersection(sources) else rows
    else:
        rows = ratings
    return tagged(rows, sources, people)


def tagged(rows: Rows, sources: Sequence[Source], people: Int64 | None = None) -> Rows:
    """With the arm that had shown the film to the person, where the act that left a row as it stands is
    attributed to an impression, and the probability with which the arm got that slot.

    ``people`` are those of ``rows``, None for everybody.
    """
    acts = _read_acts(sources, people)
    if len(acts.users) == 0 or len(rows) == 0:
        return rows
    width = int(max(rows.movies.max(), acts.movies.max())) + 1
    keys = rows.users * width + rows.movies
    # Of what is read whole the keys ascend already.
    order = None if np.all(keys[1:] >= keys[:-1]) else np.argsort(keys, kind="stable")
    wanted = acts.users * width + acts.movies
    spots = np.searchsorted(keys, wanted, sorter=order)
    known = spots < len(keys)
    spots = np.where(known, spots, 0)
    spots = spots if order is None else order[spots]
    is_own = known & (keys[spots] == wanted) & (rows.said.rated_at[spots] == acts.at)
    is_own &= rows.said.column("sources")[spots] == acts.sources
    shown_by, propensities = rows.said.column("shown_by"), rows.said.column("propensities")
    # Acts come in the order of the log: of two at one moment the later stays.
    shown_by[spots[is_own]] = acts.arms[is_own]
    propensities[spots[is_own]] = acts.propensities[is_own]
    return replace(rows, said=replace(rows.said, shown_by=shown_by, propensities=propensities).slim())


def in_chunks(rows: "QuerySet[Any]", people: Int64 | None) -> Iterator["QuerySet[Any]"]:
    """``rows``, or those of ``people``, so many at once as a database takes in one query."""
    if people is None:
        yield rows
        return
    for start in range(0, len(people), _PEOPLE_AT_ONCE):
        yield rows.filter(user_id__in=people[start : start + _PEOPLE_AT_ONCE].tolist())


@dataclass(frozen=True, eq=False)
class _Acts:
    users: Int64
    movies: Int64
    at: Any
    sources: Any
    arms: Any
    propensities: Float32


def _read_acts(sources: Sequence[Source], people: Int64 | None) -> _Acts:
    """What the log attributes to impressions, in its order."""
    by_kind = {kind.value: source for source in sources for kind in ACTS[source]}
    told = Feedback.objects.filter(kind__in=by_kind, event__isnull=False).order_by("pk")
    names = ("user_id", "movie_id", Epoch(F("occurred_at")), "kind", "event__algorithm", "event__propensity")
    dtypes = (np.int64, np.int64, np.float64, object, object, np.float32)
    users, movies, at, kinds, arms, propensities = _read(told, names, dtypes, people)
    codes = {name: code for code, name in enumerate(ARM_NAMES)}
    other = codes[ARM_NAMES[-1]]
    return _Acts(
        users,
        movies,
        at,
        np.array([by_kind[kind] for kind in kinds], dtype=np.int8),
        np.array([codes.get(arm, other) for arm in arms], dtype=np.int8),
        propensities,
    )


def _read(
    rows: "QuerySet[Any]", names: Sequence[Any], dtypes: Sequence[Any], people: Int64 | None
) -> list[Any]:
    chunks = (chunk.values_list(*names).iterator(CHUNK_ROWS) for chunk in in_chunks(rows, people))
    return read_columns((row for chunk in chunks for row in chunk), dtypes)


def _thumbs(people: Int64 | None) -> Rows:
    names = ("user_id", "movie_id", "direction", Epoch(F("changed_at")))
    dtypes = (np.int64, np.int64, np.float64, np.float64)
    standing = Thumb.objects.standing().order_by()
    users, movies, directions, at = _read(standing, names, dtypes, people)
    up, down = (implied_stars(THUMB, direction) for direction in (1.0, -1.0))
    return _rows(Source.THUMB, users, movies, np.where(directions > 0, up, down), at)


def _favorites(people: Int64 | None) -> Rows:
    return _flags(Source.FAVORITE, Favorite.objects.standing(), implied_stars(FAVORITE, None), people)


def _watchlist(people: Int64 | None) -> Rows:
    return _flags(Source.WATCHLIST, WatchlistItem.objects.standing(), IMPLIED_BY_INTEREST, people)


def _clicks(people: Int64 | None) -> Rows:
    """By the latest of the times that the person opened the film's page, from a list or from elsewhere."""
    opened = Feedback.objects.filter(kind__in=_OPENED).order_by().values("user_id", "movie_id")
    names = ("user_id", "movie_id", "opened_at")
    found = opened.annotate(opened_at=Epoch(Max("occurred_at")))
    users, movies, at = _read(found, names, (np.int64, np.int64, np.float64), people)
    return _rows(Source.CLICK, users, movies, np.full(len(users), IMPLIED_BY_INTEREST), at)


_READERS: Mapping[Source, Callable[[Int64 | None], Rows]] = {
    Source.THUMB: _thumbs,
    Source.FAVORITE: _favorites,
    Source.WATCHLIST: _watchlist,
    Source.CLICK: _clicks,
}


def _flags(source: Source, standing: "QuerySet[Any]", stars: float, people: Int64 | None) -> Rows:
    names = ("user_id", "movie_id", Epoch(F("changed_at")))
    users, movies, at = _read(standing.order_by(), names, (np.int64, np.int64, np.float64), people)
    return _rows(source, users, movies, np.full(len(users), stars), at)


def _rows(source: Source, users: Int64, movies: Int64, stars: Any, at: Any) -> Rows:
    sources = np.full(len(users), source, dtype=np.int8)
    return Rows(users, movies, Said(stars.astype(np.float32), at, sources))


def _first_of_each(rows: Rows) -> Rows:
    """By person and film, of each the row of the first source."""
    order = np.lexsort((rows.said.column("sources"), rows.movies, rows.users))
    users, movies = rows.users[order], rows.movies[order]
    is_first = np.ones(len(order), dtype=np.bool_)
    is_first[1:] = (users[1:] != users[:-1]) | (movies[1:] != movies[:-1])
    return rows.take(order[is_first])


def _is_dismissed(rows: Rows, people: Int64 | None) -> Bool:
    """Rows of mere interest in a film that the person dismissed."""
    standing = Dismissal.objects.standing().order_by()
    users, movies = _read(standing, ("user_id", "movie_id"), (np.int64, np.int64), people)
    is_interest = np.isin(rows.said.column("sources"), list(_INTEREST))
    if len(users) == 0 or len(rows) == 0:
        return np.zeros(len(rows), dtype=np.bool_)
    width = int(max(rows.movies.max(), movies.max())) + 1
    return is_interest & np.isin(rows.users * width + rows.movies, users * width + movies)
