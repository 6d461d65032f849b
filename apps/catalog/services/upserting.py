"""Films, external ids and keywords in bulk, as importers bring them.

What a film has already is kept: an import fills gaps, it never undoes the work of staff.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from apps.catalog.models import Keyword, Movie, MovieGenre, MovieKeyword
from apps.catalog.services.genres import ensure_genres
from apps.catalog.titles import search_title

BATCH = 1000
UNTITLED = "Untitled film"


@dataclass(frozen=True)
class FilmRecord:
    """A film as a MovieLens file names it. An empty ``title`` is unknown: such a film is hidden."""

    movielens_id: int
    title: str
    original_title: str = ""
    year: int | None = None
    genres: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExternalIds:
    movielens_id: int
    imdb_id: str | None = None
    tmdb_id: int | None = None


@dataclass(frozen=True)
class Upserted:
    new: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: "Upserted") -> "Upserted":
        return Upserted(self.new + other.new, self.updated + other.updated, self.unchanged + other.unchanged)


@transaction.atomic
def upsert_movies(*, films: Sequence[FilmRecord]) -> Upserted:
    """Adds the films whose ``movielens_id`` is new and fills the gaps of the others.

    Primary genres follow with ``refresh_flags``. A film without a title becomes "Untitled film
    (MovieLens 108583)", hidden; it gets its title, and is shown, once a source knows it.
    """
    known = {
        movie.movielens_id: movie
        for movie in Movie.objects.select_for_update()
        .filter(movielens_id__in=[film.movielens_id for film in films])
        .order_by("pk")
    }
    new = [_new_movie(film) for film in films if film.movielens_id not in known]
    Movie.objects.bulk_create(new, batch_size=BATCH)
    filled = [film for film in films if film.movielens_id in known and _fill(known[film.movielens_id], film)]
    Movie.objects.bulk_update(
        [known[film.movielens_id] for film in filled],
        ["title", "original_title", "year", "search_title", "is_available"],
        batch_size=100,
    )
    linked = _link_genres(films, {movie.movielens_id: movie.pk for movie in [*new, *known.values()]})
    updated = {film.movielens_id for film in filled} | (linked & set(known))
    return Upserted(len(new), len(updated), len(known) - len(updated))


@transaction.atomic
def set_external_ids(*, records: Sequence[ExternalIds]) -> tuple[Upserted, int]:
    """Fills in ids that films lack. The second number counts ids left out because another film has them."""
    films = {
        movie.movielens_id: movie
        for movie in Movie.objects.select_for_update()
        .filter(movielens_id__in=[record.movielens_id for record in records])
        .order_by("pk")
    }
    taken = _taken_ids(records)
    changed: dict[int, Movie] = {}
    refused = 0
    for record in records:
        movie = films.get(record.movielens_id)
        for name in ("imdb_id", "tmdb_id"):
            value = getattr(record, name)
            if movie is None or value is None or getattr(movie, name) is not None:
                continue
            if value in taken[name]:
                refused += 1
                continue
            taken[name].add(value)
            setattr(movie, name, value)
            changed[movie.pk] = movie
    Movie.objects.bulk_update(changed.values(), ["imdb_id", "tmdb_id"], batch_size=100)
    return Upserted(0, len(changed), len(films) - len(changed)), refused


@transaction.atomic
def add_keywords(*, weights: Mapping[tuple[int, str], int]) -> Upserted:
    """Links films to keywords by (movie id, name); a link that is there keeps the greater weight."""
    ids = _ensure_keywords({name for _, name in weights})
    wanted = {(movie_id, ids[name]): weight for (movie_id, name), weight in weights.items()}
    links = {
        (link.movie_id, link.keyword_id): link
        for link in MovieKeyword.objects.filter(movie_id__in={movie_id for movie_id, _ in wanted})
    }
    new = [
        MovieKeyword(movie_id=movie_id, keyword_id=keyword_id, weight=weight)
        for (movie_id, keyword_id), weight in wanted.items()
        if (movie_id, keyword_id) not in links
    ]
    raised = []
    for key, weight in wanted.items():
        link = links.get(key)
        if link is not None and link.weight < weight:
            link.weight = weight
            raised.append(link)
    MovieKeyword.objects.bulk_create(new, batch_size=BATCH)
    MovieKeyword.objects.bulk_update(raised, ["weight"], batch_size=BATCH)
    return Upserted(len(new), len(raised), len(wanted) - len(new) - len(raised))


def untitled(movielens_id: int) -> str:
    return f"{UNTITLED} (MovieLens {movielens_id})"


def _new_movie(film: FilmRecord) -> Movie:
    title = film.title or untitled(film.movielens_id)
    return Movie(
        movielens_id=film.movielens_id,
        title=title,
        original_title=film.original_title,
        year=film.year,
        search_title=search_title(title, film.original_title, film.year),
        is_available=bool(film.title),
    )


def _fill(movie: Movie, film: FilmRecord) -> bool:
    """Whether something was missing that the record knows."""
    before = (movie.title, movie.original_title, movie.year)
    if film.title and movie.title == untitled(film.movielens_id):
        movie.title, movie.is_available = film.title, True
    if movie.title == film.title and not movie.original_title:
        movie.original_title = film.original_title
    movie.year = movie.year if movie.year is not None else film.year
    movie.search_title = search_title(movie.title, movie.original_title, movie.year)
    return (movie.title, movie.original_title, movie.year) != before


def _link_genres(films: Sequence[FilmRecord], movie_ids: Mapping[int | None, int]) -> set[int]:
    """Gives genres to films that have none; the MovieLens ids of those."""
    genres = ensure_genres(names={name for film in films for name in film.genres})
    with_genres = set(
        MovieGenre.objects.filter(movie_id__in=movie_ids.values()).values_list("movie_id", flat=True)
    )
    bare = [film for film in films if film.genres and movie_ids[film.movielens_id] not in with_genres]
    MovieGenre.objects.bulk_create(
        (
            MovieGenre(movie_id=movie_ids[film.movielens_id], genre=genres[name], position=position)
            for film in bare
            for position, name in enumerate(dict.fromkeys(film.genres))
        ),
        batch_size=BATCH,
    )
    return {film.movielens_id for film in bare}


def _taken_ids(records: Iterable[ExternalIds]) -> dict[str, set[int | str | None]]:
    """Those of the records' ids that a film has already, by column."""
    return {
        name: set(
            Movie.objects.filter(
                **{f"{name}__in": [getattr(record, name) for record in records if getattr(record, name)]}
            ).values_list(name, flat=True)
        )
        for name in ("imdb_id", "tmdb_id")
    }


def _ensure_keywords(names: set[str]) -> dict[str, int]:
    known = dict(Keyword.objects.filter(name__in=names).values_list("name", "id"))
    missing = sorted(names - set(known))
    if missing:
        Keyword.objects.bulk_create(
            (Keyword(name=name) for name in missing), ignore_conflicts=True, batch_size=BATCH
        )
        known |= dict(Keyword.objects.filter(name__in=missing).values_list("name", "id"))
    return known
