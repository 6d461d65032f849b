"""The least that any view of this kind must do: the yardstick of ``benchmarks/serving.py``.

The same authentication class, one SELECT, one multi-row INSERT of 20 rows, into a table of the
same width as a plain log would have, with one index.
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

ROWS = 20
CREATE = {
    "postgresql": "CREATE TABLE IF NOT EXISTS bare_events (id bigserial PRIMARY KEY, user_id bigint, "
    "movie_id bigint, position smallint, algorithm varchar(50), score double precision, context jsonb, "
    "created_at timestamptz)",
    "sqlite": "CREATE TABLE IF NOT EXISTS bare_events (id integer PRIMARY KEY AUTOINCREMENT, "
    "user_id bigint, movie_id bigint, position smallint, algorithm varchar(50), score real, "
    "context text, created_at datetime)",
}
INDEX = "CREATE INDEX IF NOT EXISTS bare_events_viewer ON bare_events (user_id, movie_id)"
_INSERT = (
    "INSERT INTO bare_events "  # noqa: S608 - constants
    "(user_id, movie_id, position, algorithm, score, context, created_at) VALUES "
    + ", ".join(["(%s, %s, %s, %s, %s, %s, %s)"] * ROWS)
)


class BareView(APIView):
    authentication_classes = [JWTAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        films = list(Movie.objects.order_by("-rating_count", "pk").values_list("pk", "title")[:ROWS])
        now = timezone.now().isoformat()
        parameters: list[Any] = []
        for position, (movie_id, _) in enumerate(films, start=1):
            parameters += [request.user.pk, movie_id, position, "bare", 0.5, "{}", now]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_INSERT, parameters)
        return Response({"recommendations": [{"movie_id": pk, "title": title} for pk, title in films]})
