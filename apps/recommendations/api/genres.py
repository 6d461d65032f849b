"""What every list says of a genre that there is not."""

from apps.core.errors import InvalidInput


def unknown_genre(name: str, pointer: str) -> InvalidInput:
    return InvalidInput.of(pointer, f"There is no genre {name!r}; GET /movies shows each film's genres")
