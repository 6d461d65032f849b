"""What one value of a file must look like."""

from apps.catalog.genre_names import common_names
from apps.core.importing.bad_lines import bad_line

MAX_ID = 2**31 - 1
MAX_TIME = 4_102_444_800  # the year 2100
MAX_GENRE = 60
NO_GENRES = "(no genres listed)"
_STARS = {f"{half / 2:.1f}": half / 2 for half in range(1, 11)} | {
    str(whole): float(whole) for whole in range(1, 6)
}


def number(text: str, file: str, line: int, what: str) -> int:
    """An id: ASCII digits, 1 to 2^31 - 1."""
    if text.isdigit() and text.isascii() and len(text) <= 10 and 1 <= (value := int(text)) <= MAX_ID:
        return value
    raise bad_line(file, line, f"{what} as a whole number from 1 to {MAX_ID}", text)


def stars(text: str, file: str, line: int) -> float:
    value = _STARS.get(text)
    if value is None:
        raise bad_line(file, line, "a rating from 0.5 to 5.0 by halves", text)
    return value


def seconds(text: str, file: str, line: int) -> int:
    if text.isdigit() and text.isascii() and len(text) <= 10 and (value := int(text)) <= MAX_TIME:
        return value
    raise bad_line(file, line, "a timestamp in seconds since 1970", text)


def genres(text: str, file: str, line: int) -> tuple[str, ...]:
    """ "Comedy|Drama" in its order."""
    if text == NO_GENRES:
        return ()
    names = tuple(name.strip() for name in text.split("|"))
    if not all(0 < len(name) <= MAX_GENRE for name in names):
        raise bad_line(file, line, f"genres parted by | or {NO_GENRES!r}", text)
    return common_names(names)
