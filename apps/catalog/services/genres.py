"""A film's genres, and the one that says most about it."""

from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import Count

from apps.catalog.models import Genre, Movie, MovieGenre
from apps.catalog.primary_genre import primary_genre
from apps.core.errors import InvalidInput
from apps.core.importing.counts import Upserted

MAX_NAME = 60
BATCH = 1000


@transaction.atomic
def set_genres(*, movie: Movie, names: Sequence[str]) -> Movie:
    """Gives the film these genres in this order, and its primary genre. New names become genres.

    A name that is there in another case is that genre. Raises ``InvalidInput`` for a blank or too
    long name.
    """
    genres = _unique(ensure_genres(names=names)[name.strip()] for name in names)
    MovieGenre.objects.filter(movie=movie).delete()
    MovieGenre.objects.bulk_create(
        MovieGenre(movie=movie, genre=genre, position=position) for position, genre in enumerate(genres)
    )
    films = dict(Genre.objects.annotate(n=Count("moviegenre")).values_list("name", "n"))
    chosen = primary_genre([genre.name for genre in genres], films)
    movie.primary_genre = next((genre for genre in genres if genre.name == chosen), None)
    movie.save(update_fields=["primary_genre", "updated_at"])
    return movie


@transaction.atomic
def give_genres(*, names: Mapping[int, Sequence[str]]) -> set[int]:
    """Gives genres, in their order, to those of the films, by id, that have none; ids of these.

    Primary genres follow with ``refresh_flags``.
    """
    links = MovieGenre.objects.filter(movie_id__in=names).order_by()
    bare = names.keys() - set(links.values_list("movie_id", flat=True))
    genres = ensure_genres(names={name for movie_id in bare for name in names[movie_id]})
    rows = []
    for movie_id in sorted(bare):
        chosen = dict.fromkeys(genres[name.strip()].pk for name in names[movie_id])
        rows += [MovieGenre(movie_id=movie_id, genre_id=pk, position=n) for n, pk in enumerate(chosen)]
    MovieGenre.objects.bulk_create(rows, batch_size=BATCH)
    return bare


def add_genres(*, names: Mapping[int, Sequence[str]]) -> Upserted:
    """The same, in numbers of films."""
    given = give_genres(names=names)
    return Upserted(updated=len(given), unchanged=len(names) - len(given))


def ensure_genres(*, names: Iterable[str]) -> dict[str, Genre]:
    """The genres of these names, made where there are none, by the names as given and stripped."""
    wanted = {name.strip() for name in names}
    for name in wanted:
        if not name or len(name) > MAX_NAME:
            raise InvalidInput.of("/genres", f"A genre's name has 1 to {MAX_NAME} characters")
    known = {genre.name.casefold(): genre for genre in Genre.objects.all()}
    new = {name.casefold(): name for name in sorted(wanted) if name.casefold() not in known}
    if new:
        Genre.objects.bulk_create((Genre(name=name) for name in new.values()), ignore_conflicts=True)
        known = {genre.name.casefold(): genre for genre in Genre.objects.all()}
    return {name: known[name.casefold()] for name in wanted}


def _unique(genres: Iterable[Genre]) -> list[Genre]:
    return list({genre.pk: genre for genre in genres}.values())
