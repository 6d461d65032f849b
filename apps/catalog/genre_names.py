"""One name for a genre that data sets name differently."""

from collections.abc import Iterable

_SAME = {
    "children's": "Children",
    "science fiction": "Sci-Fi",
    "film noir": "Film-Noir",
}


def common_names(names: Iterable[str]) -> tuple[str, ...]:
    """The genres by the names that MovieLens has given them since 2003, each once, in their order."""
    return tuple(dict.fromkeys(_SAME.get(name.lower(), name) for name in names))
