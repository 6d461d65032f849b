"""What a viewer did lately, as rows that join the query of their history.

Rows are (kind, movie id, value, time), the columns of ``ratings.querysets.history_rows``, so that
one UNION reads all that a slate needs to know. The newest few are picked by ``IN (… LIMIT n)``:
SQLite takes no LIMIT in a part of a UNION.
"""

from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, CharField, F, FloatField, QuerySet, Value
from django.db.models.functions import Cast

from apps.events.models import Feedback, Slate

CLICK = "click"
SLATE = "slate"


def recent_clicks(user_id: int, n: int = 10) -> QuerySet[Any, Any]:
    """The viewer's last ``n`` clicks, as (``CLICK``, movie id, NULL, time)."""
    newest = Feedback.objects.filter(user_id=user_id, kind__in=["click", "view"]).order_by("-occurred_at")
    return (
        Feedback.objects.filter(pk__in=newest.values("pk")[:n])
        .order_by()
        .values_list(
            Value(CLICK, CharField()), F("movie_id"), Cast(Value(None), FloatField()), F("occurred_at")
        )
    )


def recent_slates(unit_key: UUID, n: int = 3) -> QuerySet[Any, Any]:
    """The unit's last ``n`` counted slates, as (``SLATE``, 0, NULL, time)."""
    newest = Slate.objects.filter(unit_key=unit_key, counted=True).order_by("-created_at")
    return (
        Slate.objects.filter(pk__in=newest.values("pk")[:n])
        .order_by()
        .values_list(
            Value(SLATE, CharField()),
            Value(0, BigIntegerField()),
            Cast(Value(None), FloatField()),
            F("created_at"),
        )
    )
