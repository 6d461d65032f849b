"""The least that any view of this kind must do: the yardstick of ``benchmarks/serving.py``.

The same authentication class, one SELECT, and one multi-row INSERT of 20 rows into a table made like
``recommendation_events``: same columns, indexes and foreign keys to films and users.
"""

from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTAuthentication

from apps.catalog.models import Movie
from apps.core.identifiers import uuid7
from apps.events.models import RecommendationEvent

ROWS = 20
COLUMNS = (
    "slate_id",
    "user_id",
    "movie_id",
    "position",
    "algorithm",
    "recommendation_score",
    "context",
    "reason",
    "created_at",
)
_INSERT = (
    f"INSERT INTO bare_events ({', '.join(COLUMNS)}) VALUES "  # noqa: S608 - constants
    + ", ".join([f"({', '.join(['%s'] * len(COLUMNS))})"] * ROWS)
)


class BareView(APIView):
    authentication_classes = [JWTAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        films = list(Movie.objects.order_by("-rating_count", "pk").values_list("pk", "title")[:ROWS])
        slate: Any = RecommendationEvent._meta.get_field("slate")
        shared = slate.get_db_prep_save(uuid7(), connection)
        now = timezone.now().isoformat()
        parameters: list[Any] = []
        for position, (movie_id, _) in enumerate(films, start=1):
            parameters += [shared, request.user.pk, movie_id, position, "bare", 0.5, "{}", "{}", now]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_INSERT, parameters)
        return Response({"recommendations": [{"movie_id": pk, "title": title} for pk, title in films]})


def create_table() -> None:
    with connection.cursor() as cursor:
        if "bare_events" in connection.introspection.table_names(cursor):
            return
        if connection.vendor == "postgresql":
            _create_like_on_postgresql(cursor)
        else:
            _create_like_on_sqlite(cursor)


def _create_like_on_postgresql(cursor: Any) -> None:
    cursor.execute("CREATE TABLE bare_events (LIKE recommendation_events INCLUDING ALL)")
    for column, table in (("movie_id", "movies"), ("user_id", "users")):
        cursor.execute(
            f"ALTER TABLE bare_events ADD FOREIGN KEY ({column}) REFERENCES {table} (id) "
            "DEFERRABLE INITIALLY DEFERRED"
        )


def _create_like_on_sqlite(cursor: Any) -> None:
    """Its foreign key to slates goes unchecked: rows of no slate are what is measured."""
    cursor.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = 'recommendation_events' AND sql IS NOT NULL"
    )
    for (sql,) in cursor.fetchall():
        made = sql.replace("recommendation_events", "bare_events")
        cursor.execute(
            made.replace('"slate_id" char(32) NOT NULL REFERENCES "slates" ("id")', '"slate_id" char(32)')
        )
