"""A knowledge graph into the catalogue: its triples, and what they say of films by name."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from apps.catalog.genre_names import common_names
from apps.catalog.graph import FILM, GENRE, KEYWORD
from apps.catalog.importing.graph_files import (
    GRAPH,
    LINK,
    NAMES,
    GraphFiles,
    LinkLine,
    TripleLine,
)
from apps.catalog.importing.people import named_credits
from apps.catalog.importing.values import MAX_GENRE, MAX_KEYWORD
from apps.catalog.matching import FilmIndex
from apps.catalog.models import MoviePerson, Triple
from apps.catalog.records import Credit, FilmRecord
from apps.catalog.services import (
    Edge,
    Node,
    add_credits,
    add_entities,
    add_genres,
    add_keywords,
    add_triples,
    refresh_flags,
)
from apps.catalog.titles import display_title, split_year
from apps.core.importing.bad_lines import MAX_LISTED, BadLines
from apps.core.importing.batches import batches
from apps.core.importing.counts import Upserted, sentence
from apps.core.importing.downloading import Progress

BATCH = 2000
FILMS_AT_ONCE = 500
# Sets whose item ids are those of MovieLens; the first one, of 100k ratings, has ids of its own.
_MOVIELENS, _OWN_IDS = "ml-", "ml-100k"
_SHOWN_RELATIONS = 50


@dataclass
class _Report:
    entities: Upserted = field(default_factory=Upserted)
    triples: Upserted = field(default_factory=Upserted)
    credits: Upserted = field(default_factory=Upserted)
    genres: Upserted = field(default_factory=Upserted)
    keywords: Upserted = field(default_factory=Upserted)
    linked: int = 0
    unknown: list[str] = field(default_factory=list)
    n_unknown: int = 0
    relations: Counter[str] = field(default_factory=Counter)

    def as_json(self, source: str) -> dict[str, object]:
        parts = {
            "entities": self.entities,
            "triples": self.triples,
            "credits": self.credits,
            "genres": self.genres,
            "keywords": self.keywords,
        }
        return {
            "result": sentence(parts),
            "source": source,
            "films": {"linked": self.linked, "not in the catalogue": self.n_unknown},
            **{name: asdict(counts) for name, counts in parts.items()},
            "lines_by_relation": dict(self.relations.most_common(_SHOWN_RELATIONS)),
            "not_in_the_catalogue": self.unknown,
        }


def load(files: GraphFiles, *, bad: BadLines, progress: Progress) -> dict[str, object]:
    """Films, names, triples, batch by batch; then what named triples say of films without it.

    Every line is read before any is loaded, so that one that is refused leaves nothing of the graph.
    """
    started = time.monotonic()
    lines = _check(files, BadLines(skip=bad.skip), progress)
    report = _Report()
    items = _Items(files, bad)
    for links in batches(progress(files.links(bad), lines[LINK], files.file(LINK)), BATCH):
        _add_links(links, items, report)
    for names in batches(files.names(bad), BATCH):
        report.entities += add_entities(nodes={line.entity: Node(name=line.name) for line in names})
    for triples in batches(progress(files.triples(bad), lines[GRAPH], files.file(GRAPH)), BATCH):
        _add_triples(triples, report)
    for movie_ids in batches(progress(sorted(items.found), len(items.found), "films"), FILMS_AT_ONCE):
        _tell_films(movie_ids, report)
    flags = refresh_flags()
    return {
        **report.as_json(files.stem),
        "flags": {"long_tail": flags.long_tail, "niche": flags.niche},
        "seconds": round(time.monotonic() - started, 1),
    }


class _Items:
    """Films of ours by the ids of a data set: by the key that an earlier load of the set left, by
    MovieLens's id where the set has those, else by title and year of the ``.item`` file.
    """

    def __init__(self, files: GraphFiles, bad: BadLines) -> None:
        self.found: set[int] = set()
        self._stem = files.stem
        self._index = FilmIndex(keys=f"{files.stem}:")
        self._records = {line.item: _record(line.title, line.year) for line in files.items(bad)}

    def movie_id(self, item: str) -> int | None:
        found = self._index.by_key(f"{self._stem}:{item}")
        if not found and self._has_movielens_ids() and item.isdigit():
            found = self._index.by_id("movielens_id", int(item))
        if not found and item in self._records:
            found = self._index.find(self._records[item]).movie_id
        if found:
            self.found.add(found)
        return found

    def name(self, item: str) -> str:
        return self._records[item].name if item in self._records else f"item {item}"

    def _has_movielens_ids(self) -> bool:
        return self._stem.startswith(_MOVIELENS) and not self._stem.startswith(_OWN_IDS)


def _record(text: str, year: str) -> FilmRecord:
    title = display_title(text)
    return FilmRecord(title.title, original_title=title.original, year=split_year(f"_ ({year})")[1])


def _check(files: GraphFiles, bad: BadLines, progress: Progress) -> Counter[str]:
    """Reads every line once; how many the files have, by suffix."""
    lines: Counter[str] = Counter()
    for suffix, rows in ((LINK, files.links(bad)), (NAMES, files.names(bad)), (GRAPH, files.triples(bad))):
        lines[suffix] = sum(1 for _ in progress(rows, None, f"checking {files.file(suffix)}"))
    for _ in files.items(bad):
        pass
    return lines


def _add_links(links: Iterable[LinkLine], items: _Items, report: _Report) -> None:
    nodes: dict[str, Node] = {}
    for line in links:
        movie_id = items.movie_id(line.item)
        nodes[line.entity] = Node(FILM, movie_id=movie_id)
        if movie_id:
            report.linked += 1
        else:
            report.n_unknown += 1
            report.unknown += [items.name(line.item)][: MAX_LISTED - len(report.unknown)]
    report.entities += add_entities(nodes=nodes)


def _add_triples(triples: Iterable[TripleLine], report: _Report) -> None:
    nodes: dict[str, Node] = {}
    edges: dict[Edge, None] = {}
    for line in triples:
        nodes.setdefault(line.head, Node(line.head_kind))
        nodes.setdefault(line.tail, Node(line.tail_kind, line.tail_name))
        edges[Edge(line.head, line.relation, line.tail)] = None
        report.relations[line.relation] += 1
    report.entities += add_entities(nodes=nodes)
    report.triples += add_triples(nodes=nodes, edges=list(edges))


def _tell_films(movie_ids: Iterable[int], report: _Report) -> None:
    """Gives films the people, genres and keywords of theirs that have a name, in the graph's order."""
    roles = [role.value for role in MoviePerson.Role]
    named = Triple.objects.filter(head__movie_id__in=movie_ids, relation__in=[*roles, GENRE, KEYWORD])
    told: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    columns = ("relation", "head__movie_id", "tail__name")
    for relation, movie_id, name in named.exclude(tail__name="").order_by("pk").values_list(*columns):
        told[relation][movie_id or 0].append(name)
    people: dict[int, list[Credit]] = defaultdict(list)
    for role in roles:
        for movie_id, names in told[role].items():
            people[movie_id] += named_credits(names, role)
    report.credits += add_credits(credits=people)
    genres = {movie_id: _genres(names) for movie_id, names in told[GENRE].items()}
    report.genres += add_genres(names={movie_id: names for movie_id, names in genres.items() if names})
    report.keywords += add_keywords(weights=_weights(told[KEYWORD]))


def _genres(names: Iterable[str]) -> tuple[str, ...]:
    return common_names(name for name in names if len(name) <= MAX_GENRE)


def _weights(names: Mapping[int, Iterable[str]]) -> dict[tuple[int, str], int]:
    kept = ((movie_id, name) for movie_id, held in names.items() for name in held)
    return {(movie_id, name.lower()): 1 for movie_id, name in kept if len(name) <= MAX_KEYWORD}
