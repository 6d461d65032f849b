"""JSON in and out, by orjson: strict in what it takes, quick in what it gives."""

import json
import re
from contextlib import suppress
from decimal import Decimal
from typing import Any

import orjson
from django.utils.functional import Promise

from apps.core.errors import InvalidInput

# The place of the value that holds another, and the other's name or index in it; empty for the root.
_Place = tuple[()] | tuple["_Place", str | int]
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY


def encode(value: Any) -> bytes:
    """UTF-8 JSON. Datetimes as UTC ISO 8601; a float that is not finite becomes null."""
    return orjson.dumps(value, default=_encode_other, option=_OPTIONS)


def decode(body: bytes, *, name: str = "The body", takes_repeats: bool = False) -> Any:
    """The value of a JSON text, or ``InvalidInput``, whose sentence calls the text ``name``.

    Refused: anything but UTF-8, NaN and Infinity, lone surrogates, nesting deeper than the parser
    allows (1,024), NUL in any string, which PostgreSQL cannot store, and a name twice in one object,
    of which the last would count, unless ``takes_repeats``. An integer over 64 bits comes out as a
    float, which no field for integers takes.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"{name} is not JSON that can be read: {error}") from None
    if b"\\u0000" in body:
        _refuse_nul(value)
    # Valid JSON has one colon outside of strings for each name that it gives.
    if not takes_repeats and body.count(b":") > 1 and _STRING.sub(b"", body).count(b":") > _n_names(value):
        raise InvalidInput(f"{name} names {_repeated(body)} twice in one object")
    return value


def _n_names(root: Any) -> int:
    n, waiting = 0, [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            n += len(value)
            value = list(value.values())
        if isinstance(value, list):
            waiting.extend(one for one in value if isinstance(one, dict | list))
    return n


def _repeated(body: bytes) -> str:
    found: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                found.append(name)
            seen.add(name)

    # Python's own parser tells pairs, and gives up at fewer levels.
    with suppress(RecursionError):
        json.loads(body, object_pairs_hook=look)
    return repr(found[0]) if found else "something"


def _refuse_nul(root: Any) -> None:
    # No recursion: orjson reads more levels than Python's stack holds calls. A place is its parent's and
    # one step more, and spelt out only where it is told: spelt out for each value, the places of many
    # values below one long name would fill memory.
    waiting: list[tuple[Any, _Place]] = [(root, ())]
    while waiting:
        value, place = waiting.pop()
        if isinstance(value, str):
            if "\x00" in value:
                raise InvalidInput.of(_pointer(place), "A text must not hold the character NUL")
        elif isinstance(value, list):
            waiting.extend((entry, (place, index)) for index, entry in enumerate(value))
        elif isinstance(value, dict):
            if any("\x00" in name for name in value):
                raise InvalidInput.of(_pointer(place), "A name must not hold the character NUL")
            waiting.extend((entry, (place, name)) for name, entry in value.items())


def _pointer(place: _Place) -> str:
    steps: list[str] = []
    while place:
        place, step = place
        steps.append(f"/{step}")
    return "".join(reversed(steps))


def _encode_other(value: Any) -> Any:
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
