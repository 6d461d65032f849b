"""What about a film follows from the rest of the catalogue."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from apps.catalog.long_tail import FilmVotes, long_tail_of
from apps.catalog.models import Genre, Movie, MovieGenre, MovieKeyword
from apps.catalog.niche import ANIME, is_niche
from apps.catalog.primary_genre import films_by_genre, primary_genre

BATCH = 1000


@dataclass(frozen=True)
class RefreshedFlags:
    """How many films there are, have each flag, and were changed."""

    films: int
    long_tail: int
    niche: int
    changed: int


@dataclass(frozen=True)
class _Derived:
    is_long_tail: bool
    is_niche: bool
    primary_genre_id: int | None


@transaction.atomic
def refresh_flags() -> RefreshedFlags:
    """Works out every film's long-tail and niche flags and primary genre, and writes what changed.

    Five reads; one UPDATE per distinct new state and thousand films.
    """
    derived = _derive()
    stored = Movie.objects.values_list("id", "is_long_tail", "is_niche", "primary_genre_id")
    before = {row[0]: _Derived(*row[1:]) for row in stored.iterator()}
    changed = {movie_id: state for movie_id, state in derived.items() if before.get(movie_id) != state}
    _write(changed)
    return RefreshedFlags(
        films=len(derived),
        long_tail=sum(state.is_long_tail for state in derived.values()),
        niche=sum(state.is_niche for state in derived.values()),
        changed=len(changed),
    )


def _derive() -> dict[int, _Derived]:
    genre_ids = dict(Genre.objects.values_list("name", "id"))
    genres = _genres()
    counts = films_by_genre(genres.values())
    anime = set(MovieKeyword.objects.filter(keyword__name__iexact=ANIME).values_list("movie_id", flat=True))
    long_tail = long_tail_of(_votes())
    derived = {}
    for movie_id, language in Movie.objects.values_list("id", "language").iterator():
        names = genres.get(movie_id, [])
        chosen = primary_genre(names, counts)
        niche = is_niche(
            genres={name.lower() for name in names},
            keywords={ANIME} if movie_id in anime else set(),
            language=language,
            site_language=settings.SITE_LANGUAGE,
        )
        derived[movie_id] = _Derived(movie_id in long_tail, niche, genre_ids[chosen] if chosen else None)
    return derived


def _genres() -> dict[int, list[str]]:
    genres: dict[int, list[str]] = defaultdict(list)
    links = MovieGenre.objects.order_by("movie_id", "position").values_list("movie_id", "genre__name")
    for movie_id, name in links.iterator():
        genres[movie_id].append(name)
    return genres


def _votes() -> list[FilmVotes]:
    columns = ("id", "rating_sum", "rating_count", "tmdb_vote_average", "tmdb_vote_count")
    return [FilmVotes(*row) for row in Movie.objects.values_list(*columns).iterator()]


def _write(states: Mapping[int, _Derived]) -> None:
    # Locked in the order of ids first, as count_ratings does, so that the two never deadlock.
    movie_ids = sorted(states)
    for start in range(0, len(movie_ids), BATCH):
        rows = Movie.objects.filter(pk__in=movie_ids[start : start + BATCH]).order_by("pk")
        list(rows.select_for_update(no_key=True).values_list("pk"))
    alike: dict[_Derived, list[int]] = defaultdict(list)
    for movie_id, state in states.items():
        alike[state].append(movie_id)
    for state, ids in alike.items():
        for start in range(0, len(ids), BATCH):
            Movie.objects.filter(pk__in=ids[start : start + BATCH]).update(**vars(state))
