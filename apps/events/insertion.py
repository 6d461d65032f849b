"""The two inserts that Django's own cannot do as well.

Impressions: every recommendation waits for them, so they go as one multi-row statement in which
what all rows share is adapted once and columns with a database default are left out. Feedback:
whether a row was new is known only from ``ON CONFLICT DO NOTHING RETURNING``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from apps.events.models import Feedback, RecommendationEvent


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


_COLUMNS = (
    "slate_id",
    "user_id",
    "context",
    "bandit_context",
    "experiment_id",
    "variant",
    "explored",
    "weight",
    "created_at",
    "movie_id",
    "position",
    "algorithm",
    "recommendation_score",
    "algorithm_confidence",
    "propensity",
    "is_long_tail",
    "is_niche",
    "reason",
)
_ROW = f"({', '.join(['%s'] * len(_COLUMNS))})"
_INSERT = f"INSERT INTO recommendation_events ({', '.join(_COLUMNS)}) VALUES "  # noqa: S608 - constants


def insert_impressions(shared: Shared, impressions: Sequence[Impression]) -> list[int]:
    """Inserts all rows in one statement; the new ids, in the order of ``impressions``."""
    if not impressions:
        return []
    first = _shared_values(shared)
    parameters: list[Any] = []
    for impression in impressions:
        parameters += first
        parameters += _own_values(impression)
    sql = _INSERT + ", ".join([_ROW] * len(impressions)) + " RETURNING position, id"
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        ids = dict(cursor.fetchall())
    return [ids[impression.position] for impression in impressions]


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


def insert_feedback(feedback: Feedback) -> int | None:
    """Inserts one row; its id, or None when this unit said it before (same ``client_id``).

    A second process with the same ``client_id`` waits for the first to commit and then gets None.
    """
    fields: list[Any] = [field for field in Feedback._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(field.column for field in fields)
    sql = (
        f"INSERT INTO feedback ({columns}) VALUES ({', '.join(['%s'] * len(fields))}) "  # noqa: S608
        "ON CONFLICT (unit_key, client_id) DO NOTHING RETURNING id"
    )
    values = [field.get_db_prep_save(field.pre_save(feedback, add=True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def _adapt(name: str, value: Any) -> Any:
    field: Any = RecommendationEvent._meta.get_field(name)
    return field.get_db_prep_save(value, connection)


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode()
