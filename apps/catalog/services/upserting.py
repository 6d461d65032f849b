"""Films in bulk, as importers bring them.

What a film has already is kept: an import fills gaps, it never undoes the work of staff. Of two
counts of votes on TMDB the greater one is the newer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.catalog.matching import ID_FIELDS, FilmIndex
from apps.catalog.models import Entity, Movie
from apps.catalog.records import FilmRecord
from apps.catalog.services.genres import give_genres
from apps.catalog.titles import search_title
from apps.core.bulk import time_stamp, update_rows
from apps.core.errors import Conflict
from apps.core.importing.counts import Upserted

BATCH = 1000
UNTITLED = "Untitled film"
_GAPS = ("year", "overview", "language", "runtime", "poster_path")
_VOTES = ("tmdb_vote_average", "tmdb_vote_count")
_WRITTEN = ("title", "original_title", "search_title", "is_available", *ID_FIELDS, *_GAPS, *_VOTES)


@dataclass
class UpsertedFilms:
    """``movie_ids`` by the records' order: None for one that is left out.

    ``taken`` counts ids left out because another film has them; ``ambiguous`` are records, by their
    order, and the films that each could be.
    """

    counts: Upserted = field(default_factory=Upserted)
    movie_ids: list[int | None] = field(default_factory=list)
    taken: int = 0
    ambiguous: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)


@dataclass
class _Batch:
    """Records under way, and the film of each by their order."""

    records: Sequence[FilmRecord]
    index: FilmIndex
    add_ambiguous: bool
    films: dict[int, Movie] = field(default_factory=dict)
    held: dict[int, Movie] = field(default_factory=dict)
    new: set[int] = field(default_factory=set)
    updated: set[int] = field(default_factory=set)
    done: UpsertedFilms = field(default_factory=UpsertedFilms)


@transaction.atomic
def upsert_films(
    *, records: Sequence[FilmRecord], index: FilmIndex, add_ambiguous: bool = False
) -> UpsertedFilms:
    """Adds films that are not there and fills the gaps of the others; ``index`` learns of both.

    A record that several films could be is left out, or with ``add_ambiguous`` becomes one more.
    Primary genres follow with ``refresh_flags``. A film without a title becomes "Untitled film
    (MovieLens 108583)", hidden; it gets its title, and is shown, once a source knows it.
    """
    batch = _Batch(records, index, add_ambiguous)
    waiting = list(range(len(records)))
    while waiting:
        waiting = _settle(batch, waiting)
    _link_genres(batch)
    _write(batch)
    _keep_keys(batch)
    done = batch.done
    done.movie_ids = [getattr(batch.films.get(number), "pk", None) for number in range(len(records))]
    known = {film.pk for film in batch.films.values()} - batch.new
    updated = batch.updated & known
    done.counts = Upserted(len(batch.new), len(updated), len(known - updated))
    return done


@transaction.atomic
def fill_film(*, movie: Movie, record: FilmRecord, index: FilmIndex) -> Upserted:
    """Fills the gaps of one film that the record is known to be about."""
    batch = _Batch([record], index, add_ambiguous=False)
    _hold(batch, [movie.pk])
    batch.films[0] = film = batch.held[movie.pk]
    if _fill(batch, film, record):
        batch.updated.add(film.pk)
    _link_genres(batch)
    _write(batch)
    return Upserted(updated=1) if batch.updated else Upserted(unchanged=1)


def note_asked(*, movie: Movie, at: datetime) -> None:
    """Remembers that TMDB was asked about the film."""
    Movie.objects.filter(pk=movie.pk).update(tmdb_asked_at=at)


def untitled(record: FilmRecord) -> str:
    source = f"MovieLens {record.movielens_id}" if record.movielens_id else record.key.replace(":", " ")
    return f"{UNTITLED} ({source})"


def _settle(batch: _Batch, waiting: list[int]) -> list[int]:
    """Finds or makes the films of records; those that may be about a film made here wait a round."""
    matches = {number: batch.index.find(batch.records[number]) for number in waiting}
    _hold(batch, (match.movie_id for match in matches.values()))
    fresh: dict[int, Movie] = {}
    seen: set[tuple[str, object]] = set()
    later = []
    for number, match in matches.items():
        record = batch.records[number]
        if match.movie_id:
            batch.films[number] = film = batch.held[match.movie_id]
            if _fill(batch, film, record):
                batch.updated.add(film.pk)
        elif match.among and not batch.add_ambiguous:
            batch.done.ambiguous.append((number, match.among))
        elif seen & (identities := _identities(record)):
            later.append(number)
        else:
            seen |= identities
            fresh[number] = _new_film(batch, record)
            if match.among:
                batch.done.ambiguous.append((number, match.among))
    _create(batch, fresh)
    return later


def _hold(batch: _Batch, movie_ids: Iterable[int | None]) -> None:
    """Reads and locks films, in the order of ids."""
    wanted = {movie_id for movie_id in movie_ids if movie_id} - set(batch.held)
    rows = Movie.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
    batch.held |= {movie.pk: movie for movie in rows}


def _identities(record: FilmRecord) -> set[tuple[str, object]]:
    """By what another record could be about the same film."""
    found: set[tuple[str, object]] = {(name, getattr(record, name)) for name in ID_FIELDS}
    found |= {("key", record.key), ("title", search_title(record.title, "", record.year))}
    return {(name, value) for name, value in found if value and value != "| |"}


def _new_film(batch: _Batch, record: FilmRecord) -> Movie:
    film = Movie(
        title=record.title or untitled(record),
        original_title=record.original_title,
        is_available=bool(record.title),
        **{name: getattr(record, name) for name in (*_GAPS, *_VOTES)},
    )
    _give_ids(batch, film, record)
    film.search_title = search_title(film.title, film.original_title, film.year)
    return film


def _create(batch: _Batch, fresh: dict[int, Movie]) -> None:
    try:
        with transaction.atomic():
            Movie.objects.bulk_create(fresh.values(), batch_size=BATCH)
    except IntegrityError as error:
        raise Conflict("Somebody added one of these films meanwhile: run the import again") from error
    for number, film in fresh.items():
        batch.films[number] = batch.held[film.pk] = film
        batch.new.add(film.pk)
        batch.index.add(film, batch.records[number].key)


def _fill(batch: _Batch, film: Movie, record: FilmRecord) -> bool:
    """Whether something was missing that the record knows."""
    before = [getattr(film, name) for name in _WRITTEN]
    if record.title and film.title.startswith(UNTITLED) and not film.is_available:
        film.title, film.is_available = record.title, film.merged_into_id is None
    if film.title == record.title and not film.original_title:
        film.original_title = record.original_title
    for name in _GAPS:
        if getattr(film, name) in (None, ""):
            setattr(film, name, getattr(record, name))
    if (record.tmdb_vote_count or 0) > (film.tmdb_vote_count or 0):
        film.tmdb_vote_count, film.tmdb_vote_average = record.tmdb_vote_count, record.tmdb_vote_average
    _give_ids(batch, film, record)
    film.search_title = search_title(film.title, film.original_title, film.year)
    batch.index.add(film, record.key)
    return before != [getattr(film, name) for name in _WRITTEN]


def _give_ids(batch: _Batch, film: Movie, record: FilmRecord) -> None:
    """Ids that the film lacks and no other film has."""
    for name in ID_FIELDS:
        value = getattr(record, name)
        if value is None or getattr(film, name) is not None:
            continue
        if batch.index.by_id(name, value):
            batch.done.taken += 1
        else:
            setattr(film, name, value)


def _link_genres(batch: _Batch) -> None:
    """Of two records about a film the first one's genres count."""
    names: dict[int, Sequence[str]] = {}
    for number, film in sorted(batch.films.items()):
        if batch.records[number].genres:
            names.setdefault(film.pk, batch.records[number].genres)
    batch.updated |= give_genres(names=names)


def _write(batch: _Batch) -> None:
    now = time_stamp(timezone.now())
    films = [batch.held[movie_id] for movie_id in sorted(batch.updated)]
    rows = [(film.pk, *(getattr(film, name) for name in _WRITTEN), now) for film in films]
    update_rows(Movie, (*_WRITTEN, "updated_at"), rows)


def _keep_keys(batch: _Batch) -> None:
    """Remembers how a source names its films, where it has ids of its own."""
    named = {batch.records[number].key: film for number, film in batch.films.items()}
    named.pop("", None)
    known = set(Entity.objects.filter(key__in=named).values_list("key", flat=True))
    Entity.objects.bulk_create(
        (
            Entity(key=key, kind="film", name=film.title[:200], movie=film)
            for key, film in named.items()
            if key not in known
        ),
        batch_size=BATCH,
    )
