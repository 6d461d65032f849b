"""Staff and programs keep the catalogue; every change is in the audit."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction

from apps.accounts.models import ApiKey, User
from apps.catalog.models import Movie
from apps.catalog.services.genres import set_genres
from apps.catalog.titles import search_title
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.core.services import record_audit

EXTERNAL_IDS = ("tmdb_id", "imdb_id", "movielens_id")
_SEARCHED = {"title", "original_title", "year"}


class MovieFacts(TypedDict, total=False):
    """What can be said of a film. A name that is left out stays as it is."""

    title: str
    original_title: str
    year: int | None
    overview: str
    language: str
    runtime: int | None
    poster_path: str
    tmdb_id: int | None
    imdb_id: str | None
    movielens_id: int | None
    tmdb_vote_average: float | None
    tmdb_vote_count: int | None
    genres: Sequence[str]
    is_available: bool


@transaction.atomic
def create_movie(*, by: User | ApiKey | None, **facts: Unpack[MovieFacts]) -> Movie:
    """Adds a film. ``Conflict`` when another one has one of its external ids."""
    movie = Movie()
    values, genres = _split(facts)
    assign_facts(movie, {"title": "", **values})
    _save(movie, None)
    if genres:
        set_genres(movie=movie, names=genres)
    _audit("catalog.create_movie", by, movie, before={}, after=dict(facts))
    return movie


@transaction.atomic
def update_movie(
    *, movie: Movie, by: User | ApiKey | None, reason: str = "", **facts: Unpack[MovieFacts]
) -> Movie:
    """Changes what is given and differs; ``is_available=False`` hides the film everywhere at once.

    ``movie`` is brought up to date too. Raises ``Conflict`` for a taken external id and for showing a
    film that was merged into another, ``NotFound`` for a film that has gone.
    """
    held = Movie.objects.select_for_update().filter(pk=movie.pk).first()
    if held is None:
        raise NotFound(f"There is no film {movie.pk}")
    values, genres = _split(facts)
    changed = {name: value for name, value in values.items() if getattr(held, name) != value}
    before = {name: getattr(held, name) for name in changed}
    if held.merged_into_id is not None and changed.get("is_available"):
        raise Conflict(f"{held} was merged into film {held.merged_into_id}, so it stays hidden")
    if changed:
        assign_facts(held, changed)
        _save(held, [*changed, "search_title", "updated_at"])
    if genres is not None and list(genres) != held.genre_names:
        before["genres"], changed["genres"] = held.genre_names, list(genres)
        set_genres(movie=held, names=genres)
    if changed:
        _audit("catalog.update_movie", by, held, before=before, after=changed, reason=reason)
    movie.refresh_from_db()
    return movie


def _split(facts: MovieFacts) -> tuple[dict[str, Any], Sequence[str] | None]:
    values: dict[str, Any] = dict(facts)
    genres = values.pop("genres", None)
    return values, genres


def assign_facts(movie: Movie, values: Mapping[str, Any]) -> None:
    """Sets the columns, not saved, and what the search looks at with them."""
    for name, value in values.items():
        setattr(movie, name, value.strip() if isinstance(value, str) else value)
    if not movie.title:
        raise InvalidInput.of("/title", "A film needs a title")
    if _SEARCHED & set(values):
        movie.search_title = search_title(movie.title, movie.original_title, movie.year)


def _save(movie: Movie, fields: list[str] | None) -> None:
    try:
        with transaction.atomic():
            movie.save(update_fields=fields)
    except IntegrityError as error:
        raise _taken(movie) or error from None


def _taken(movie: Movie) -> Conflict | None:
    for name in EXTERNAL_IDS:
        value = getattr(movie, name)
        other = Movie.objects.filter(**{name: value}).exclude(pk=movie.pk).first() if value else None
        if other is not None:
            return Conflict(f"Film {other.pk}, {other}, has {name} {value} already")
    return None


def _audit(
    action: str,
    by: User | ApiKey | None,
    movie: Movie,
    *,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    reason: str = "",
) -> None:
    """A key is named in the reason: its id must not pass for a user's."""
    reason = f"by API key {by}" if isinstance(by, ApiKey) else reason
    actor = by if isinstance(by, User) else None
    record_audit(action, by=actor, target=movie, before=before, after=after, reason=reason)
