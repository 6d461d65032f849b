"""The knowledge graph, in bulk."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from django.db import transaction

from apps.catalog.graph import FILM
from apps.catalog.models import Entity, Triple
from apps.catalog.records import Link
from apps.core.bulk import insert_new_rows, update_rows
from apps.core.importing.counts import Upserted

BATCH = 1000


class Node(NamedTuple):
    """What a source says of a thing; what is empty or None it does not say."""

    kind: str = ""
    name: str = ""
    movie_id: int | None = None


class Edge(NamedTuple):
    """``head`` and ``tail`` are keys of entities."""

    head: str
    relation: str
    tail: str


@transaction.atomic
def add_triples(*, nodes: Mapping[str, Node], edges: Sequence[Edge]) -> Upserted:
    """Adds the edges that are not there. ``nodes``, by key, hold at least what the edges name."""
    ids, _ = _ensure(nodes)
    rows = dict.fromkeys((ids[edge.head], edge.relation, ids[edge.tail]) for edge in edges)
    new = insert_new_rows(Triple._meta.db_table, ("head_id", "relation", "tail_id"), rows)
    return Upserted(new, 0, len(edges) - new)


@transaction.atomic
def add_entities(*, nodes: Mapping[str, Node]) -> Upserted:
    """Adds things and fills in what is not known of those that are there."""
    return _ensure(nodes)[1]


@transaction.atomic
def link_films(*, links: Mapping[int, Sequence[Link]]) -> Upserted:
    """Gives films, by id, what they have in the graph: countries, series and such."""
    nodes = {f"{FILM}:{movie_id}": Node(FILM, movie_id=movie_id) for movie_id, held in links.items() if held}
    nodes |= {link.key: Node(link.kind, link.name) for held in links.values() for link in held}
    edges = [
        Edge(f"{FILM}:{movie_id}", link.relation, link.key)
        for movie_id, held in links.items()
        for link in held
    ]
    return add_triples(nodes=nodes, edges=edges)


def _ensure(nodes: Mapping[str, Node]) -> tuple[dict[str, int], Upserted]:
    known = _held(nodes)
    missing = [(key, *_columns(node)) for key, node in nodes.items() if key not in known]
    insert_new_rows(Entity._meta.db_table, ("key", "kind", "name", "movie_id"), missing)
    filled = []
    for key, (pk, *held) in known.items():
        told = _columns(nodes[key])
        better = [old or new for old, new in zip(held, told, strict=True)]
        if better != held:
            filled.append((pk, *better))
    update_rows(Entity, ("kind", "name", "movie"), filled)
    ids = {key: row[0] for key, row in (known | _held(key for key, *_ in missing)).items()}
    return ids, Upserted(len(missing), len(filled), len(known) - len(filled))


def _held(keys: Iterable[str]) -> dict[str, tuple[int, str, str, int | None]]:
    wanted = list(keys)
    found: dict[str, tuple[int, str, str, int | None]] = {}
    for start in range(0, len(wanted), BATCH):
        rows = Entity.objects.filter(key__in=wanted[start : start + BATCH]).order_by()
        for key, pk, kind, name, movie_id in rows.values_list("key", "id", "kind", "name", "movie_id"):
            found[key] = (pk, kind, name, movie_id)
    return found


def _columns(node: Node) -> tuple[str, str, int | None]:
    return (node.kind, node.name[:200], node.movie_id)
