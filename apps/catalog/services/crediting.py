"""People of films, in bulk."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction

from apps.catalog.models import MoviePerson, Person
from apps.catalog.records import Credit
from apps.core.bulk import insert_rows
from apps.core.importing.counts import Upserted

BATCH = 1000
MAX_NAME = 200


@transaction.atomic
def add_credits(*, credits: Mapping[int, Sequence[Credit]]) -> Upserted:
    """Gives films, by id, the people of each role that they have nobody for.

    A person is known by their id at TMDB; one without it by the name, if a single person has that.
    """
    links = MoviePerson.objects.filter(movie_id__in=credits).order_by()
    filled = set(links.values_list("movie_id", "role").distinct())
    wanted = {
        movie_id: kept
        for movie_id, people in credits.items()
        if (kept := [credit for credit in people if (movie_id, credit.role) not in filled])
    }
    ids = _ensure_people({credit for people in wanted.values() for credit in people})
    rows: dict[tuple[int, int, str], int] = {}
    for movie_id, people in wanted.items():
        seats: dict[str, int] = defaultdict(int)
        for credit in people:
            key = (movie_id, ids[credit.tmdb_id or credit.name], credit.role)
            if key not in rows:
                rows[key] = seats[credit.role]
                seats[credit.role] += 1
    insert_rows(
        MoviePerson._meta.db_table,
        ("movie_id", "person_id", "role", "position"),
        ((*key, position) for key, position in rows.items()),
    )
    return Upserted(len(rows), 0, sum(map(len, credits.values())) - sum(map(len, wanted.values())))


def _ensure_people(credits: Iterable[Credit]) -> dict[int | str, int]:
    """Ids of people by their id at TMDB, or by name where that is all there is."""
    by_tmdb = {credit.tmdb_id: credit.name for credit in credits if credit.tmdb_id}
    names = {credit.name for credit in credits if not credit.tmdb_id}
    found: dict[int | str, int] = {**_known(by_tmdb), **_by_name(names)}
    new = [Person(tmdb_id=key, name=name) for key, name in by_tmdb.items() if key not in found]
    new += [Person(name=name) for name in sorted(names) if name not in found]
    Person.objects.bulk_create(new, batch_size=BATCH)
    return found | {person.tmdb_id or person.name: person.pk for person in new}


def _known(tmdb_ids: Iterable[int]) -> dict[int | str, int]:
    wanted = list(tmdb_ids)
    found: dict[int | str, int] = {}
    for start in range(0, len(wanted), BATCH):
        rows = Person.objects.filter(tmdb_id__in=wanted[start : start + BATCH]).order_by()
        found.update((int(tmdb_id or 0), pk) for tmdb_id, pk in rows.values_list("tmdb_id", "id"))
    return found


def _by_name(names: Iterable[str]) -> dict[int | str, int]:
    """A person without an id at TMDB first; else the only one of that name."""
    held: dict[str, list[tuple[bool, int]]] = defaultdict(list)
    wanted = sorted(names)
    for start in range(0, len(wanted), BATCH):
        rows = Person.objects.filter(name__in=wanted[start : start + BATCH]).order_by("pk")
        for pk, name, tmdb_id in rows.values_list("pk", "name", "tmdb_id"):
            held[name].append((tmdb_id is not None, pk))
    return {name: min(people)[1] for name, people in held.items() if len(people) == 1 or not min(people)[0]}
