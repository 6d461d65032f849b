"""The inserts that Django's own cannot do as well.

Every recommendation waits for a slate and its impressions. As two hand-written statements, in which
what all impressions share stands once, they take a third of ``save`` and ``bulk_create``. Of
feedback, whether a row was new is known only from ``ON CONFLICT DO NOTHING RETURNING``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Model

from apps.events.models import Feedback, RecommendationEvent, Slate


@dataclass(frozen=True)
class Impression:
    """One film in one slot. ``position`` counts from 1."""

    movie_id: int
    position: int
    algorithm: str
    score: float
    confidence: float | None
    propensity: float | None
    is_long_tail: bool
    is_niche: bool
    reason: Mapping[str, Any]


@dataclass(frozen=True)
class Shared:
    """What all impressions of a slate have in common."""

    slate_id: UUID
    user_id: int | None
    context: Mapping[str, Any]
    bandit_context: int | None
    experiment_id: str
    variant: str
    explored: bool
    weight: float
    created_at: datetime


# Column and type; columns with a database default are left out.
_SHARED = {
    "slate_id": "uuid",
    "user_id": "bigint",
    "context": "jsonb",
    "bandit_context": "smallint",
    "experiment_id": "varchar",
    "variant": "varchar",
    "explored": "boolean",
    "weight": "double precision",
    "created_at": "timestamptz",
}
_OWN = {
    "movie_id": "bigint",
    "position": "smallint",
    "algorithm": "varchar",
    "recommendation_score": "double precision",
    "algorithm_confidence": "double precision",
    "propensity": "double precision",
    "is_long_tail": "boolean",
    "is_niche": "boolean",
    "reason": "jsonb",
}
_COLUMNS = ", ".join([*_SHARED, *_OWN])


def insert_impressions(shared: Shared, impressions: Sequence[Impression]) -> list[int]:
    """Inserts all rows in one statement; the new ids, in the order of ``impressions``."""
    if not impressions:
        return []
    parameters = _shared_values(shared)
    for impression in impressions:
        parameters += _own_values(impression)
    with connection.cursor() as cursor:
        cursor.execute(_impressions_sql(connection.vendor, len(impressions)), parameters)
        ids = dict(cursor.fetchall())
    return [ids[impression.position] for impression in impressions]


def insert_slate(slate: Slate) -> None:
    _insert(slate, "")


def insert_feedback(feedback: Feedback) -> int | None:
    """Inserts one row; its id, or None when this unit said it before (same ``client_id``).

    A second process with the same ``client_id`` waits for the first to commit and then gets None.
    """
    return _insert(feedback, "ON CONFLICT (unit_key, client_id) DO NOTHING RETURNING id")


def _insert(row: Model, ending: str) -> int | None:
    fields = _fields(type(row))
    columns = ", ".join(field.column for field in fields)
    places = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {row._meta.db_table} ({columns}) VALUES ({places}) {ending}"  # noqa: S608 - names
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found = cursor.fetchone() if ending else None
    return None if found is None else int(found[0])


@cache
def _fields(model: type[Model]) -> list[Any]:
    """All columns but a key that the database makes."""
    return [field for field in model._meta.concrete_fields if not field.db_returning]


@cache
def _impressions_sql(vendor: str, n: int) -> str:
    """``INSERT … SELECT`` of the shared values beside a list of rows.

    PostgreSQL takes the types of a list in FROM from its first row, so that one is cast.
    """
    is_typed = vendor == "postgresql"
    shared = ", ".join(f"%s::{kind}" if is_typed else "%s" for kind in _SHARED.values())
    own = [f"column{place}" for place in range(1, len(_OWN) + 1)]
    first = ", ".join(f"%s::{kind}" if is_typed else "%s" for kind in _OWN.values())
    rows = [f"({first})", *[f"({', '.join(['%s'] * len(_OWN))})"] * (n - 1)]
    return (
        f"INSERT INTO recommendation_events ({_COLUMNS}) SELECT {shared}, {', '.join(own)} "  # noqa: S608
        f"FROM (VALUES {', '.join(rows)}) AS own RETURNING position, id"
    )


def _shared_values(shared: Shared) -> list[Any]:
    return [
        _adapt("slate", shared.slate_id),
        shared.user_id,
        _json(shared.context),
        shared.bandit_context,
        shared.experiment_id,
        shared.variant,
        shared.explored,
        shared.weight,
        _adapt("created_at", shared.created_at),
    ]


def _own_values(impression: Impression) -> list[Any]:
    return [
        impression.movie_id,
        impression.position,
        impression.algorithm,
        impression.score,
        impression.confidence,
        impression.propensity,
        impression.is_long_tail,
        impression.is_niche,
        _json(impression.reason),
    ]


def _adapt(name: str, value: Any) -> Any:
    field: Any = RecommendationEvent._meta.get_field(name)
    return field.get_db_prep_save(value, connection)


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode()
