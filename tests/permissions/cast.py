"""Every kind of caller, and what each asks with."""

from typing import Any

from django.http import HttpResponse

from apps.accounts.models import User
from apps.ratings.imports.applying import apply_import
from tests.callers import Caller, bearer, guest
from tests.factories import PASSWORD, make_api_key, make_import, make_movie, make_staff, make_user
from tests.permissions.tables import READS, Who

RATINGS = b"Date,Name,Year,Letterboxd URI,Rating\n2026-03-01,Alien,1979,,4.5\n"


class Cast:
    """One caller of every kind, and a film for all of them."""

    def __init__(self) -> None:
        self.movie = make_movie(title="Alien", year=1979, genres=["Horror"])
        self.viewer, self.other, self.staff = make_user(), make_user(), make_staff()
        # Applied, so that it can be applied once more and undone.
        made = make_import(self.viewer, self.movie)
        self.an_import = apply_import(user=self.viewer, import_id=made.pk, rule="newer")

    def caller(self, role: str, who: Who) -> Caller:
        permission, scope = who if isinstance(who, tuple) else (None, "act_for_users")
        if role == "guest":
            return guest()
        if role.startswith("key"):
            key = make_api_key(scope if role == "key with scope" and scope else "metrics.read")[1]
            return Caller({"Authorization": f"Api-Key {key}"}, user=self.other)
        if role == "nobody":
            return Caller({}, user=self.other)
        if role == "staff with permission":
            return bearer(make_staff(permissions=[permission] if permission else []))
        return bearer({"viewer": self.viewer, "staff": self.staff}[role])

    def body(self, method: str, route: str) -> dict[str, Any]:
        """What would do; the addresses below auth/ get nothing."""
        if method == "DELETE" and route == "me":
            return {"password": PASSWORD}
        if route == "events":
            return {"item_id": self.movie.pk, "event_type": "click"}
        if route == "analytics/model/force-update":
            return {"update_type": "warm_start"}
        if route == "movies" or route.startswith("movies/<"):
            return {"title": "Aliens", "year": 1986}
        if route.endswith("/apply"):
            return {"rule": "newer"}
        body: dict[str, Any] = {}
        if route.startswith("analytics/track/") and "<" not in route:
            body["movie_id"] = self.movie.pk
        if route in {"analytics/track/rating", "ratings/<id:movie_id>"}:
            body["rating"] = 4
        return body

    def path(self, route: str, user_id: int) -> str:
        path = route.replace("<id:movie_id>", str(self.movie.pk)).replace("<id:user_id>", str(user_id))
        path = path.replace("<uid>", "MQ").replace("<token>", "a-b").replace("<slug:slug>", "watchlist")
        path = path.replace("<slug:key>", "a-test")
        path = path.replace("<id:run_id>", "1")
        path = path.replace("<id:import_id>", str(self.an_import.pk))
        assert "<" not in path, f"/{route} takes something that these tests do not know: teach them"
        if route.endswith("/experiment-group"):
            path += "?experiment_id=a-test"
        return f"/{path}"

    def ask(self, caller: Caller, method: str, route: str, *, about: User | None = None) -> HttpResponse:
        """Asks below /api/v1/, ``about`` whom in path, query or body; None says nobody."""
        path = self.path(f"api/v1/{route}", (about or caller.user).pk)
        if method == "POST" and route == "me/import":
            return caller.send_file(path, "ratings.csv", RATINGS)
        body = {} if method in READS else self.body(method, route)
        if about is not None and "<id:user_id>" not in route:
            if method in {*READS, "DELETE"}:
                path += f"?user_id={about.pk}"
            else:
                body["user_id"] = about.pk
        return caller.send(method, path, body)
