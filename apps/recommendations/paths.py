"""What two films share, in words: the way by which an arm came from one to the other."""

from collections.abc import Mapping
from typing import NamedTuple


class Shared(NamedTuple):
    """``movie_id`` is the viewer's film; ``relation`` what the thing is to both, as ``director``; ``entity``
    its name, empty while no source gave one.
    """

    movie_id: int
    relation: str
    entity: str

    def as_json(self) -> dict[str, str | None]:
        return {"relation": self.relation, "entity": self.entity or None}


class _Words(NamedTuple):
    """``named`` is formatted with ``film`` and ``entity``, ``unnamed`` with ``film``."""

    named: str
    unnamed: str


def _same(what: str) -> _Words:
    return _Words(f"Same {what} as {{film}}: {{entity}}", f"Same {what} as {{film}}")


_WORDS: Mapping[str, _Words] = {
    **{
        crew: _same(crew)
        for crew in ("director", "writer", "producer", "composer", "cinematographer", "editor", "series")
    },
    "cast": _Words("With {entity}, like {film}", "Shares an actor with {film}"),
    "company": _same("studio"),
    "keyword": _Words("Also tagged {entity}, like {film}", "Same keyword as {film}"),
    "genre": _Words("{entity}, like {film}", "Same genre as {film}"),
    "decade": _Words("Also of the {entity}s, like {film}", "Same decade as {film}"),
    "country": _Words("Also from {entity}, like {film}", "Same country as {film}"),
    "nominated for": _Words("Also nominated for {entity}, like {film}", "Same nomination as {film}"),
    "won": _Words("Also won {entity}, like {film}", "Same award as {film}"),
    # The names of these say nothing to a reader: a code, and the title of the other film.
    "language": _Words("Same language as {film}", "Same language as {film}"),
    "sequel": _Words("Same series as {film}", "Same series as {film}"),
    "certificate": _Words("Same certificate as {film}", "Same certificate as {film}"),
}
_OTHERS = _Words("Has {entity} in common with {film}", "Has something in common with {film}")


def sentence(shared: Shared, title: str) -> str:
    """The way in words; ``title`` is that of the viewer's film."""
    words = _WORDS.get(shared.relation, _OTHERS)
    template = words.named if shared.entity else words.unnamed
    return template.format(film=title, entity=shared.entity)
