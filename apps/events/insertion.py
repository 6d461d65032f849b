"""The inserts that Django's own cannot do as well.

Every recommendation waits for its slate and impressions to be written. Their values travel as one
JSON list beside what all rows share, so the statement is the same whatever the slate's length; on
PostgreSQL slate, assignments and impressions are one statement, whole or not at all without BEGIN and
COMMIT. Of feedback, whether a row was new is known only from ``ON CONFLICT DO NOTHING RETURNING``.
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction
from django.db.models import BinaryField, DateTimeField, JSONField, Model, UUIDField

from apps.events.models import Feedback, Slate

Statement = tuple[str, list[Any]]
"""SQL and its parameters."""


class Impression(NamedTuple):
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
    """What all impressions of a slate have in common and the slate does not hold."""

    bandit_context: int | None
    experiment_id: str
    variant: str
    explored: bool
    weight: float


@dataclass(frozen=True)
class Served:
    """The variant that a slate was served under."""

    experiment_key: str
    layer: str
    phase: int
    variant: str
    counted: bool


@dataclass(frozen=True)
class SlateLog:
    """One slate with all that is written beside it."""

    slate: Slate
    shared: Shared
    impressions: Sequence[Impression]
    served: Sequence[Served] = ()


# Column and its type on PostgreSQL; columns with a database default are left out.
_SHARED = {
    "slate_id": "uuid",
    "user_id": "bigint",
    "context": "jsonb",
    "created_at": "timestamptz",
    "bandit_context": "smallint",
    "experiment_id": "varchar",
    "variant": "varchar",
    "explored": "boolean",
    "weight": "double precision",
}
# In the order of ``Impression``.
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
_ASSIGNMENT = {
    "experiment_key": "varchar",
    "phase": "integer",
    "variant": "varchar",
    "counted": "boolean",
}


def insert_slates(logs: Sequence[SlateLog]) -> list[list[int]]:
    """Writes the slates, at least one, with their assignments and impressions; the event ids of each, in
    the order given.

    All of them or, when the database refuses one, none.
    """
    assigned = [log for log in logs if log.served]
    statements = [(_slates_sql(len(logs)), [value for log in logs for value in _values(log.slate)])]
    if assigned:
        values = [value for log in assigned for value in _assignment_values(log)]
        statements.append((_assignments_sql(connection.vendor, len(assigned)), values))
    values = [value for log in logs for value in _impression_values(log)]
    statements.append((_impressions_sql(connection.vendor, len(logs)), values))
    ids = {(key, position): pk for key, position, pk in _run_together(statements)}
    return [
        [ids[_slate_key(log.slate), impression.position] for impression in log.impressions] for log in logs
    ]


def insert_feedback(feedback: Feedback) -> int | None:
    """Inserts one row; its id, or None when this unit said it before (same ``client_id``).

    A second process with the same ``client_id`` waits for the first to commit and then gets None.
    """
    sql = f"{_insert_sql(Feedback, 1)} ON CONFLICT (unit_key, client_id) DO NOTHING RETURNING id"
    with connection.cursor() as cursor:
        cursor.execute(sql, _values(feedback))
        found = cursor.fetchone()
    return None if found is None else int(found[0])


def _run_together(statements: Sequence[Statement]) -> list[tuple[Any, ...]]:
    """Runs them all or none; the rows of the last. PostgreSQL takes them as one, in one round trip."""
    if connection.vendor == "postgresql":
        *first, last = (sql for sql, _ in statements)
        parts = ", ".join(f"part_{number} AS ({sql})" for number, sql in enumerate(first))
        statements = [(f"WITH {parts} {last}", [value for _, values in statements for value in values])]
    with nullcontext() if len(statements) == 1 else transaction.atomic(), connection.cursor() as cursor:
        for sql, values in statements:
            cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


@cache
def _insert_sql(model: type[Model], n_rows: int) -> str:
    names = ", ".join(field.column for field in _fields(model))
    places = ", ".join(["%s"] * len(_fields(model)))
    rows = ", ".join([f"({places})"] * n_rows)
    return f"INSERT INTO {model._meta.db_table} ({names}) VALUES {rows}"  # noqa: S608 - names


def _slates_sql(n_slates: int) -> str:
    return _insert_sql(Slate, n_slates)


@cache
def _assignments_sql(vendor: str, n_slates: int) -> str:
    return _rows_sql("slate_assignments", {"slate_id": "uuid"}, _ASSIGNMENT, (vendor, n_slates))


@cache
def _impressions_sql(vendor: str, n_slates: int) -> str:
    rows = _rows_sql("recommendation_events", _SHARED, _OWN, (vendor, n_slates))
    return f"{rows} RETURNING slate_id, position, id"


def _rows_sql(table: str, shared: Mapping[str, str], own: Mapping[str, str], source: tuple[str, int]) -> str:
    """``INSERT … SELECT``: for each slate its shared values beside each row of a JSON list of lists.

    ``source`` is the database's vendor and the number of slates.
    """
    vendor, n_slates = source
    if vendor == "postgresql":
        values = [f"%s::{kind}" for kind in shared.values()]
        # ->> gives text, for which jsonb would have to be read a second time.
        values += [
            f"row -> {place}" if kind == "jsonb" else f"(row ->> {place})::{kind}"
            for place, kind in enumerate(own.values())
        ]
        rows = "jsonb_array_elements(%s) AS rows (row)"
    else:
        values = ["%s"] * len(shared) + [f"json_extract(value, '$[{place}]')" for place in range(len(own))]
        rows = "json_each(%s)"
    columns = ", ".join([*shared, *own])
    select = f"SELECT {', '.join(values)} FROM {rows}"  # noqa: S608 - names
    return f"INSERT INTO {table} ({columns}) {' UNION ALL '.join([select] * n_slates)}"


@cache
def _fields(model: type[Model]) -> list[Any]:
    """All columns but a key that the database makes."""
    return [field for field in model._meta.concrete_fields if not field.db_returning]


def _values(row: Model) -> list[Any]:
    return [_adapt(field, getattr(row, field.attname)) for field in _fields(type(row))]


def _adapt(field: Any, value: Any) -> Any:
    """What the driver takes. Numbers, text and booleans need nothing; of JSON Django's way is slow."""
    if isinstance(field, JSONField):
        return _json(value)
    if isinstance(field, UUIDField | DateTimeField | BinaryField):
        return field.get_db_prep_save(value, connection)
    return value


def _slate_key(slate: Slate) -> Any:
    return _adapt(Slate._meta.pk, slate.pk)


def _shared_row(slate: Slate, shared: Shared) -> list[Any]:
    """The values of ``_SHARED``."""
    return [
        _slate_key(slate),
        slate.user_id,
        _json(slate.context),
        _adapt(Slate._meta.get_field("created_at"), slate.created_at),
        shared.bandit_context,
        shared.experiment_id,
        shared.variant,
        shared.explored,
        shared.weight,
    ]


def _impression_values(log: SlateLog) -> list[Any]:
    rows = _json([tuple(one) for one in log.impressions])
    return [*_shared_row(log.slate, log.shared), rows]


def _assignment_values(log: SlateLog) -> list[Any]:
    return [_slate_key(log.slate), _json([_assignment_row(one) for one in log.served])]


def _assignment_row(served: Served) -> tuple[Any, ...]:
    """The values of ``_ASSIGNMENT``."""
    return (served.experiment_key, served.phase, served.variant, served.counted)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
