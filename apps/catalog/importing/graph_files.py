"""The files of a knowledge graph as RecBole has them: tab-separated, with typed headers."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from apps.catalog.graph import relation_of
from apps.catalog.titles import MAX_TITLE
from apps.core.errors import InvalidInput
from apps.core.importing.bad_lines import BadLines, bad_line, parse_each
from apps.core.importing.lines import read_typed_rows
from apps.core.importing.places import Folder, Place, open_place

MAX_TOKEN = 120
MAX_RELATION = 80
MAX_NAME = 200
GRAPH, LINK, ITEM, NAMES = ".kg", ".link", ".item", ".names"
_FREEBASE = re.compile(r"[mg]\.[0-9a-z_]+", re.ASCII)
_WIKIDATA = re.compile(r"Q[0-9]+", re.ASCII)
T = TypeVar("T")


class LinkLine(NamedTuple):
    """``entity`` is the key of the film ``item`` in the graph."""

    line: int
    item: str
    entity: str


class TripleLine(NamedTuple):
    """Keys and kinds of both ends, a film at the head where the relation is known."""

    line: int
    head: str
    head_kind: str
    relation: str
    tail: str
    tail_kind: str
    tail_name: str


class ItemLine(NamedTuple):
    line: int
    item: str
    title: str
    year: str


class NameLine(NamedTuple):
    line: int
    entity: str
    name: str


@dataclass(frozen=True)
class GraphFiles:
    """``stem`` names the data set: ml-100k for ml-100k.kg. ``.item`` and ``.names`` may be missing."""

    place: Place
    stem: str

    def file(self, suffix: str) -> str:
        return f"{self.stem}{suffix}"

    def has(self, suffix: str) -> bool:
        return self.file(suffix) in self.place.names()

    def links(self, bad: BadLines) -> Iterator[LinkLine]:
        return self._read(LINK, ("item_id", "entity_id"), self._link, bad)

    def triples(self, bad: BadLines) -> Iterator[TripleLine]:
        return self._read(GRAPH, ("head_id", "relation_id", "tail_id"), self._triple, bad)

    def items(self, bad: BadLines) -> Iterator[ItemLine]:
        """Titles and years of films; nothing without the file."""
        if self.has(ITEM):
            yield from self._read(ITEM, ("item_id", "movie_title", "release_year"), self._item, bad)

    def names(self, bad: BadLines) -> Iterator[NameLine]:
        """Names of things whose ids say nothing; nothing without the file."""
        if self.has(NAMES):
            yield from self._read(NAMES, ("entity_id", "name"), self._name, bad)

    def _read(
        self,
        suffix: str,
        columns: tuple[str, ...],
        parse: Callable[[int, list[str]], T],
        bad: BadLines,
    ) -> Iterator[T]:
        rows = read_typed_rows(self.place, self.file(suffix), columns, bad)
        return parse_each(rows, parse, bad)

    def _link(self, line: int, fields: list[str]) -> LinkLine:
        item, entity = fields
        return LinkLine(
            line, self._token(LINK, line, item, "item_id"), self._key(LINK, line, entity, "entity_id")
        )

    def _triple(self, line: int, fields: list[str]) -> TripleLine:
        head, name, tail = fields
        if not 0 < len(name) <= MAX_RELATION:
            raise bad_line(self.file(GRAPH), line, f"relation_id of 1 to {MAX_RELATION} characters", name)
        relation = relation_of(name)
        keys = self._key(GRAPH, line, head, "head_id"), self._key(GRAPH, line, tail, "tail_id")
        if relation is None:
            return TripleLine(line, keys[0], "", name, keys[1], "", name_of(tail))
        if relation.is_inverse:
            head, tail, keys = tail, head, keys[::-1]
        return TripleLine(line, keys[0], "film", relation.name, keys[1], relation.kind, name_of(tail))

    def _item(self, line: int, fields: list[str]) -> ItemLine:
        item, title, year = fields
        return ItemLine(line, self._token(ITEM, line, item, "item_id"), title[:MAX_TITLE], year)

    def _name(self, line: int, fields: list[str]) -> NameLine:
        entity, name = fields
        if not 0 < len(name) <= MAX_NAME:
            raise bad_line(self.file(NAMES), line, f"a name of 1 to {MAX_NAME} characters", name)
        return NameLine(line, self._key(NAMES, line, entity, "entity_id"), name)

    def _key(self, suffix: str, line: int, token: str, what: str) -> str:
        return key_of(self._token(suffix, line, token, what), self.stem)

    def _token(self, suffix: str, line: int, token: str, what: str) -> str:
        if not 0 < len(token) <= MAX_TOKEN:
            raise bad_line(self.file(suffix), line, f"{what} of 1 to {MAX_TOKEN} characters", token)
        return token


def key_of(token: str, stem: str) -> str:
    """The key of an entity: Freebase's and Wikidata's ids mean the same in every data set."""
    if _FREEBASE.fullmatch(token):
        return f"freebase:{token}"
    return f"wikidata:{token}" if _WIKIDATA.fullmatch(token) else f"{stem}.kg:{token}"


def name_of(token: str) -> str:
    """What a person would read; nothing for an id."""
    is_id = _FREEBASE.fullmatch(token) or _WIKIDATA.fullmatch(token) or token.isdigit()
    return "" if is_id else token


def open_graph(place: str) -> GraphFiles:
    """A ``.kg`` with its ``.link`` beside it, or a folder or zip that holds one such pair."""
    path = Path(place).expanduser()
    if not path.exists():
        raise InvalidInput(
            f"There is no folder or file {place}; give a .kg file, or a folder or zip with one"
        )
    if path.suffix == GRAPH:
        files = GraphFiles(Folder(path.resolve().parent), path.stem)
    else:
        held = open_place(path)
        stems = sorted(Path(name).stem for name in held.names() if name.endswith(GRAPH))
        if len(stems) != 1:
            raise InvalidInput(f"{place} holds {len(stems)} .kg files: there must be one")
        files = GraphFiles(held, stems[0])
    if not files.has(LINK):
        raise InvalidInput(
            f"There is no {files.file(LINK)} beside {files.file(GRAPH)}: it says which films are which"
        )
    return files
