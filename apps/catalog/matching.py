"""Which film of ours a record of a data set is about."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from apps.catalog.models import Entity, Movie
from apps.catalog.records import FilmRecord
from apps.catalog.titles import search_title

# The first that a record has is its source's own: a film that has another one there is another film.
ID_FIELDS = ("movielens_id", "tmdb_id", "imdb_id")
_HELD = ("id", *ID_FIELDS, "search_title", "merged_into_id")


class Match(NamedTuple):
    """``movie_id`` is None when there is no such film, or when there are several: then ``among``."""

    movie_id: int | None = None
    is_by_title: bool = False
    among: tuple[int, ...] = ()


NOBODY = Match()


class FilmIndex:
    """The catalogue by ids and by titles, read once and kept up by ``add``.

    Memory grows with the catalogue (about 700 bytes a film), not with what is imported. By ids
    first; else by normalised title and year, of films that have no other id of the same kind. Of
    two records that claim one film by its title neither gets it: who is right is for people to say.
    """

    def __init__(self, *, keys: str = "") -> None:
        self._by_id: dict[str, dict[int | str, int]] = {name: {} for name in ID_FIELDS}
        self._by_key: dict[str, int] = {}
        self._ids: dict[int, tuple[int | str | None, ...]] = {}
        self._by_title: dict[tuple[int, str], tuple[int, ...]] = defaultdict(tuple)
        self._claims: dict[int, object] = {}
        self._contested: set[int] = set()
        for movie_id, *ids, text, survivor in Movie.objects.order_by("pk").values_list(*_HELD).iterator():
            if survivor is None:
                self._add(movie_id, tuple(ids), text)
            else:
                self._lead(survivor, tuple(ids), text)
        named = Entity.objects.filter(key__startswith=keys, movie__isnull=False) if keys else ()
        for entity in named:
            self._by_key[entity.key] = int(entity.movie_id or 0)

    def find(self, record: FilmRecord) -> Match:
        named = self._by_key.get(record.key)
        if named:
            return Match(named)
        for number, name in enumerate(ID_FIELDS):
            value = getattr(record, name)
            movie_id = self._by_id[name].get(value) if value else None
            if movie_id and not self._is_another(record, movie_id, ID_FIELDS[:number]):
                return Match(movie_id)
        return self._find_by_title(record)

    def by_id(self, name: str, value: int | str) -> int | None:
        """The film with an external id: ``tmdb_id``, ``imdb_id`` or ``movielens_id``."""
        return self._by_id[name].get(value)

    def by_key(self, key: str) -> int | None:
        return self._by_key.get(key)

    def claim(self, record: FilmRecord, line: int, *, even_if_known: bool = False) -> None:
        """Notes which film the record will ask for by its title, before any record gets one.

        ``even_if_known``: a record that has its film by an id claims the other one of its title,
        too. So an import that was cut off and goes on decides as one that was not.
        """
        match = self.find(record)
        if match.movie_id and not match.is_by_title and even_if_known:
            match = self._find_by_title(record)
        if match.movie_id is None or not match.is_by_title:
            return
        who = record.movielens_id or record.tmdb_id or record.imdb_id or -line
        if self._claims.setdefault(match.movie_id, who) != who:
            self._contested.add(match.movie_id)

    def add(self, movie: Movie, key: str = "") -> None:
        """A film that is new, or has new ids or titles."""
        ids = tuple(getattr(movie, name) for name in ID_FIELDS)
        self._add(movie.pk, ids, movie.search_title)
        if key:
            self._by_key[key] = movie.pk

    def _add(self, movie_id: int, ids: tuple[int | str | None, ...], text: str) -> None:
        self._ids[movie_id] = ids
        self._lead(movie_id, ids, text)

    def _lead(self, movie_id: int, ids: tuple[int | str | None, ...], text: str) -> None:
        """Ids and titles, the film's own or those of one that was merged into it, lead to the film."""
        for name, value in zip(ID_FIELDS, ids, strict=True):
            if value is not None:
                self._by_id[name][value] = movie_id
        year, names = _titles(text)
        for name in names if year else ():
            held = self._by_title[year, name]
            if movie_id not in held:
                self._by_title[year, name] = (*held, movie_id)

    def _find_by_title(self, record: FilmRecord) -> Match:
        """By the whole main title; where there is none, by any other title, or without an article."""
        if not record.title or record.year is None:
            return NOBODY
        year, names = _titles(search_title(record.title, record.original_title, record.year))
        found = self._possible(record, year, names[:1]) or self._possible(record, year, names[1:])
        if len(found) == 1 and found[0] not in self._contested:
            return Match(found[0], is_by_title=True)
        return Match(among=found)

    def _possible(self, record: FilmRecord, year: int, names: Iterable[str]) -> tuple[int, ...]:
        """Films of one of the names that no id of theirs tells apart from the record."""
        found = dict.fromkeys(movie_id for name in names for movie_id in self._by_title.get((year, name), ()))
        return tuple(movie_id for movie_id in found if not self._is_another(record, movie_id, ID_FIELDS))

    def _is_another(self, record: FilmRecord, movie_id: int, names: Iterable[str]) -> bool:
        """Whether film and record have different ids of the same kind."""
        ids = dict(zip(ID_FIELDS, self._ids[movie_id], strict=True))
        return any(getattr(record, name) and ids[name] not in (None, getattr(record, name)) for name in names)


def _titles(text: str) -> tuple[int, list[str]]:
    """Year (0 for none) and names out of a ``search_title``, which begins with a bar without a year."""
    parts = [part for part in text.strip(" |").split(" | ") if part]
    if text.startswith(" ") and parts:
        return int(parts[0]), parts[1:]
    return 0, parts
