"""Credits as TMDB writes them, in its files and in its answers."""

from collections.abc import Iterable, Mapping
from typing import Any

from apps.catalog.importing.values import MAX_NAME
from apps.catalog.models import MoviePerson
from apps.catalog.records import Credit

MAX_CAST = 30
"""Actors kept of a film, in the order of the credits: the rest stand in the background."""

_ROLES = {
    "Director": MoviePerson.Role.DIRECTOR,
    **dict.fromkeys(("Writer", "Screenplay", "Story", "Author"), MoviePerson.Role.WRITER),
}


def credits_of(cast: Iterable[Any], crew: Iterable[Any]) -> list[Credit]:
    """Directors, writers and the first actors. Raises ``ValueError`` for entries that are no people."""
    found = [_credit(entry, role) for entry in crew if (role := _ROLES.get(_mapping(entry).get("job", "")))]
    actors = sorted((_mapping(entry) for entry in cast), key=_order)
    found += [_credit(entry, MoviePerson.Role.CAST) for entry in actors[:MAX_CAST]]
    return [credit for credit in dict.fromkeys(found) if credit.name]


def named_credits(names: Iterable[str], role: str) -> list[Credit]:
    """People known by name alone, in their order."""
    kept = list(names)[:MAX_CAST] if role == MoviePerson.Role.CAST else names
    return [Credit(name, role) for name in kept]


def _credit(entry: Any, role: str) -> Credit:
    name, key = _mapping(entry).get("name"), _mapping(entry).get("id")
    if not isinstance(name, str) or not isinstance(key, int | None):
        raise ValueError("people with a name and an id")
    return Credit(" ".join(name.split())[:MAX_NAME], str(role), key or None)


def _order(entry: Mapping[str, Any]) -> int:
    order = entry.get("order")
    return order if isinstance(order, int) else 10_000


def _mapping(entry: Any) -> Mapping[str, Any]:
    if not isinstance(entry, dict):
        raise ValueError("people with a name and an id")
    return entry
