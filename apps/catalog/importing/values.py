"""What one value of a film's row may look like. Each raises ``ValueError`` with what was expected."""

import ast
import re
from typing import Any

from django.conf.locale import LANG_INFO

from apps.catalog.titles import split_year
from apps.core.errors import InvalidInput
from apps.core.json import decode

MAX_ID = 2**31 - 1
MAX_MINUTES = 6000
MAX_GENRE = 60
MAX_NAME = 200
MAX_KEYWORD = 120
_WHOLE = re.compile(r"[0-9]{1,10}(?:\.0)?", re.ASCII)
_YEAR = re.compile(r"(?<![0-9])(?:18|19|20)[0-9]{2}(?![0-9])")
_HOURS = re.compile(r"(?:([0-9]{1,2})\s*h(?:ours?|r)?)?\s*(?:([0-9]{1,4})\s*m(?:in(?:ute)?s?)?\.?)?")
_IMDB = re.compile(r"(?:tt)?([0-9]{1,10})")
_POSTER = re.compile(
    r"(?:https?://image\.tmdb\.org/t/p/[a-z0-9_]{1,40})?(/[\w-]{1,100}\.(?:jpg|png|svg))", re.ASCII
)
_LIST_SIGNS = ("|", ";", ",")
_NO_OVERVIEW = {"no overview found.", "no overview", "no movie overview available."}
_LANGUAGES = {
    info["name"].lower(): code for code, info in LANG_INFO.items() if "name" in info and len(code) == 2
}
# "No language", and what TMDB calls Cantonese.
_CODES = {"xx": "", "cn": "zh"}


def whole(text: str, *, least: int = 0, most: int = MAX_ID) -> int:
    """A whole number, as "12", "12.0" or "1,234"."""
    plain = text.replace(",", "")
    if _WHOLE.fullmatch(plain) and least <= int(float(plain)) <= most:
        return int(float(plain))
    raise ValueError(f"a whole number from {least} to {most}")


def tmdb_id(text: str) -> int:
    return whole(text, least=1)


def imdb_id(text: str) -> str | None:
    """ "tt0114709", "0114709" and 114709 alike; 0 is none."""
    match = _IMDB.fullmatch(text.removesuffix(".0"))
    if match is None:
        raise ValueError("an id of IMDb such as tt0114709")
    return f"tt{int(match[1]):07}" if int(match[1]) else None


def year(text: str) -> int:
    """The only year in a date, however the date is written."""
    years = set(_YEAR.findall(text))
    found = split_year(f"_ ({years.pop()})")[1] if len(years) == 1 else None
    if found is None:
        raise ValueError("a year or a date with a year from 1870 to 2100")
    return found


def minutes(text: str) -> int | None:
    """ "142", "142.0", "142 min" and "2h 22m" alike; 0 is unknown."""
    match = _HOURS.fullmatch(text.lower())
    if match is not None and (match[1] or match[2]):
        return int(match[1] or 0) * 60 + int(match[2] or 0) or None
    try:
        found = round(float(text))
    except (ValueError, OverflowError):
        found = -1
    if not 0 <= found <= MAX_MINUTES:
        raise ValueError(f"a running time from 0 to {MAX_MINUTES} minutes")
    return found or None


def vote_average(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 10:
        raise ValueError("an average of votes from 0 to 10")
    return value


def language(text: str) -> str:
    """ISO 639-1 in lower case, out of a code or an English name; empty for no language."""
    code = text.lower()
    code = _LANGUAGES.get(code, code.split("-")[0].split("_")[0])
    if not (code.isascii() and code.isalpha() and len(code) in {2, 3}):
        raise ValueError("a language such as en or English")
    return _CODES.get(code, code)


def poster_path(text: str) -> str:
    """The path at TMDB; a poster elsewhere is none, since pages ask no other host."""
    match = _POSTER.fullmatch(text)
    return match[1] if match else ""


def overview(text: str) -> str:
    return "" if text.lower() in _NO_OVERVIEW else text


def names(text: str, *, longest: int = MAX_NAME) -> list[str]:
    """A list of names, each once: JSON, a Python list, or parted by ``|``, else ``;``, else ``,``."""
    if text.startswith("["):
        found = [_name_of(entry) for entry in structure(text)]
    else:
        sign = next((sign for sign in _LIST_SIGNS if sign in text), _LIST_SIGNS[0])
        found = text.split(sign)
    tidy = dict.fromkeys(" ".join(name.split()) for name in found)
    tidy.pop("", None)
    if any(len(name) > longest for name in tidy):
        raise ValueError(f"names of at most {longest} characters")
    return list(tidy)


def genres(text: str) -> list[str]:
    return names(text, longest=MAX_GENRE)


def keywords(text: str) -> list[str]:
    """In lower case; those that are too long for a keyword are left out."""
    return [name.lower() for name in names(text, longest=2000) if len(name) <= MAX_KEYWORD]


def structure(text: str) -> list[Any]:
    """A list written as JSON or, as some exports have it, as Python would print it."""
    try:
        value = decode(text.encode(), takes_repeats=True)
    except InvalidInput:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise ValueError("a list in JSON") from None
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise ValueError("a list in JSON")
    return value


def _name_of(entry: Any) -> str:
    name = entry.get("name") if isinstance(entry, dict) else entry
    if not isinstance(name, str):
        raise ValueError("a list of names")
    return name
