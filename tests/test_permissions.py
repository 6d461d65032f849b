"""Who may do what, at every address there is. An address that is in no table fails the tests.

Each address of the API is asked as every kind of caller, with a body that would do; refused is 401 or
403. A caller who asks for somebody else is refused wherever the API takes a ``user_id``.
"""

import re
from functools import cache as cache_once
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from apps.accounts.models import User
from apps.core.admin import ReadOnlyAdmin
from tests.callers import METHODS, Caller, addresses, api_routes, bearer, guest, signed_in, undone
from tests.factories import PASSWORD, make_api_key, make_movie, make_staff, make_user
from tests.rows import make_impression, make_row

pytestmark = pytest.mark.django_db

# A link that opens nothing leads to another page; an empty form comes back or is refused.
PAGE_STATUSES = {200, 301, 302, 400}
READS = {"GET", "HEAD"}
REFUSED = {401, 403}

# --- The tables ----------------------------------------------------------------------------------
# Who may: anybody; anybody, but a key only if it acts for users; anybody but a key; who has a cookie or
# an account; these and a key that acts for users; accounts and such keys; accounts alone. Else a
# permission, and the scope that stands for it.
ANYBODY, READER, PERSON, KNOWN = "anybody", "reader", "person", "known"
SPEAKER, ACTOR, ACCOUNT = "speaker", "actor", "account"
ADD_MOVIE = ("catalog.add_movie", "catalog.write")
CHANGE_MOVIE = ("catalog.change_movie", "catalog.write")
Who = str | tuple[str, str]

OWN_LISTS = ("ratings", "favorites", "watchlist", "dismissals")
API: dict[tuple[str, str], Who] = {
    ("POST", "auth/token"): ANYBODY,
    ("POST", "auth/token/refresh"): ANYBODY,
    ("POST", "auth/token/blacklist"): ANYBODY,
    ("POST", "auth/register"): ANYBODY,
    ("POST", "auth/password/change"): ACCOUNT,
    ("POST", "auth/password/reset"): ANYBODY,
    ("POST", "auth/password/reset/confirm"): ANYBODY,
    ("GET", "me"): PERSON,
    ("PATCH", "me"): KNOWN,
    ("DELETE", "me"): PERSON,
    ("GET", "me/export"): PERSON,
    ("GET", "movies"): ANYBODY,
    ("POST", "movies"): ADD_MOVIE,
    ("GET", "movies/recommendations"): READER,
    ("GET", "movies/<id:movie_id>"): ANYBODY,
    ("PUT", "movies/<id:movie_id>"): CHANGE_MOVIE,
    ("PATCH", "movies/<id:movie_id>"): CHANGE_MOVIE,
    ("GET", "movies/<id:movie_id>/similar"): READER,
    ("POST", "recommend"): ACTOR,
    ("POST", "events"): SPEAKER,
    ("POST", "analytics/track/click"): ACTOR,
    ("POST", "analytics/track/rating"): ACTOR,
    ("POST", "analytics/track/thumbs-up"): ACTOR,
    ("POST", "analytics/track/thumbs-down"): ACTOR,
    ("POST", "analytics/track/favorite/<id:user_id>/<id:movie_id>"): ACTOR,
    ("POST", "analytics/track/watchlist/<id:user_id>/<id:movie_id>"): ACTOR,
    **{("GET", name): READER for name in OWN_LISTS},
    **{("GET", f"{name}/<id:movie_id>"): READER for name in OWN_LISTS},
    **{(method, f"{name}/<id:movie_id>"): SPEAKER for name in OWN_LISTS for method in ("PUT", "DELETE")},
}
# Outside of API and admin every address is for anybody.
FORM = {"GET", "POST"}
PAGES: dict[str, set[str]] = {
    "": {"GET"},
    "search": {"GET"},
    "about": {"GET"},
    "film/<id:movie_id>": {"GET"},
    "film/<id:movie_id>/feedback": {"POST"},
    "poster/<id:movie_id>.svg": {"GET"},
    "ratings": {"GET"},
    "sign-up": FORM,
    "log-in": FORM,
    "log-out": {"POST"},
    "password/reset/": FORM,
    "password/reset/sent/": {"GET"},
    "password/reset/<uid>/<token>/": FORM,
    "healthz": {"GET"},
    "readyz": {"GET"},
    "favicon.ico": {"GET"},
    "api/schema": {"GET"},
    "api/docs": {"GET"},
}
# Addresses of the admin that belong to no table, or to one beyond its five pages: the method, and what
# it takes. Nothing is asked of those for anybody; "staff" is any member of staff.
ADMIN: dict[str, tuple[str, str]] = {
    "admin/": ("GET", "staff"),
    "admin/login/": ("GET", "anybody"),
    "admin/logout/": ("POST", "staff"),
    "admin/password_change/": ("GET", "staff"),
    "admin/password_change/done/": ("GET", "staff"),
    "admin/jsi18n/": ("GET", "staff"),
    "admin/search/": ("GET", "staff"),
    "admin/autocomplete/": ("GET", "catalog.view_genre"),
    "admin/r/<path:content_type_id>/<path:object_id>/": ("GET", "staff"),
    "admin/<app_label>/": ("GET", "catalog.view_genre"),  # 404 for who may see nothing of the app
    "admin/(?P<url>.*)$": ("GET", "staff"),
    "admin/accounts/user/<id>/password/": ("GET", "accounts.change_user"),
    "admin/training/trainingrun/retrain/": ("POST", "training.add_trainingrun"),
}
TABLE_PAGES = re.compile(r"admin/(\w+)/(\w+)/(add/|<path:object_id>/((history|delete|change)/)?)?")

SERVED: dict[str, set[str]] = {
    ANYBODY: {"nobody", "guest", "viewer", "key without scope", "key with scope", "staff"},
    READER: {"nobody", "guest", "viewer", "key with scope", "staff"},
    PERSON: {"nobody", "guest", "viewer", "staff"},
    KNOWN: {"guest", "viewer", "staff"},
    SPEAKER: {"guest", "viewer", "key with scope", "staff"},
    ACTOR: {"viewer", "key with scope", "staff"},
    ACCOUNT: {"viewer", "staff"},
}
ROLES = (
    "nobody",
    "guest",
    "viewer",
    "key without scope",
    "key with scope",
    "staff",
    "staff with permission",
)


def is_served(role: str, who: Who) -> bool:
    if isinstance(who, tuple):
        return role in {"key with scope", "staff with permission"}
    return role.replace(" with permission", "") in SERVED[who]


# --- Every address there is ----------------------------------------------------------------------


def test_every_address_of_the_api_is_in_the_table() -> None:
    for method, route in sorted(api_routes() ^ set(API)):
        known = "is in no table: say in API who may use it" if (method, route) not in API else "is gone"
        pytest.fail(f"{method} /api/v1/{route} {known}")


def test_every_page_is_in_the_table() -> None:
    found = {address.route for address in addresses() if not address.route.startswith(("api/v1/", "admin/"))}
    for route in sorted(found ^ set(PAGES)):
        known = "is in no table: say in PAGES which methods it has" if route not in PAGES else "is gone"
        pytest.fail(f"/{route} {known}")


def test_every_address_of_the_admin_is_in_the_table() -> None:
    found = {address.route for address in addresses() if address.route.startswith("admin/")}
    own = {route for route in found if not TABLE_PAGES.fullmatch(route) or route in ADMIN}
    for route in sorted(own ^ set(ADMIN)):
        known = "is in no table: say in ADMIN what it takes" if route not in ADMIN else "is gone"
        pytest.fail(f"/{route} {known}")


# --- Callers -------------------------------------------------------------------------------------


class Cast:
    """One caller of every kind, and a film for all of them."""

    def __init__(self) -> None:
        self.movie = make_movie(title="Alien", year=1979, genres=["Horror"])
        self.viewer, self.other, self.staff = make_user(), make_user(), make_staff()

    def caller(self, role: str, who: Who) -> Caller:
        permission, scope = who if isinstance(who, tuple) else (None, "act_for_users")
        if role == "guest":
            return guest()
        if role.startswith("key"):
            key = make_api_key(scope if role == "key with scope" else "metrics.read")[1]
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
        if route == "movies" or route.startswith("movies/<"):
            return {"title": "Aliens", "year": 1986}
        body: dict[str, Any] = {}
        if route.startswith("analytics/track/") and "<" not in route:
            body["movie_id"] = self.movie.pk
        if route in {"analytics/track/rating", "ratings/<id:movie_id>"}:
            body["rating"] = 4
        return body

    def path(self, route: str, user_id: int) -> str:
        path = route.replace("<id:movie_id>", str(self.movie.pk)).replace("<id:user_id>", str(user_id))
        path = path.replace("<uid>", "MQ").replace("<token>", "a-b")
        assert "<" not in path, f"/{route} takes something that these tests do not know: teach them"
        return f"/{path}"

    def ask(self, caller: Caller, method: str, route: str, *, about: User | None = None) -> HttpResponse:
        """Asks below /api/v1/, ``about`` whom in path, query or body; None says nobody."""
        path = self.path(f"api/v1/{route}", (about or caller.user).pk)
        body = {} if method in READS else self.body(method, route)
        if about is not None and "<id:user_id>" not in route:
            if method in {*READS, "DELETE"}:
                path += f"?user_id={about.pk}"
            else:
                body["user_id"] = about.pk
        return caller.send(method, path, body)


@cache_once
def takes_user_id() -> set[tuple[str, str]]:
    """Addresses of the API that may be asked about somebody, by the OpenAPI document."""
    schema = SchemaGenerator().get_schema(public=True)
    found = set()
    for method, route in api_routes():
        operation = schema["paths"]["/api/v1/" + re.sub(r"<id:(\w+)>", r"{\1}", route)][method.lower()]
        named = {parameter["name"] for parameter in operation.get("parameters", [])}
        content = operation.get("requestBody", {}).get("content", {})
        if "user_id" in named or "user_id" in properties(schema, content):
            found.add((method, route))
    return found


def properties(schema: dict[str, Any], node: Any) -> set[str]:
    """Every property in a part of the document, references followed."""
    if isinstance(node, list):
        return set().union(*(properties(schema, entry) for entry in node))
    if not isinstance(node, dict):
        return set()
    if "$ref" in node:
        return properties(schema, schema["components"]["schemas"][node["$ref"].rsplit("/", 1)[1]])
    return set(node.get("properties", {})) | properties(schema, list(node.values()))


# --- The API -------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_the_api_serves_and_refuses(role: str) -> None:
    cast, wrong = Cast(), {}
    for (method, route), who in API.items():
        with undone():
            caller = cast.caller(role, who)
            named = caller.user if role.startswith("key") and (method, route) in takes_user_id() else None
            status = cast.ask(caller, method, route, about=named).status_code
        # An empty body is refused below auth/ once the caller is let in; a film need not be in a list.
        let_in = {200, 201, 202, 204, 404} | ({400} if route.startswith("auth/") else set())
        if status not in (let_in if is_served(role, who) else REFUSED):
            wrong[f"{method} {route}"] = status
    assert wrong == {}


def test_nobody_asks_about_somebody_else() -> None:
    cast = Cast()
    for role in ("nobody", "guest", "viewer", "key without scope", "staff"):
        for method, route in sorted(takes_user_id()):
            with undone():
                response = cast.ask(cast.caller(role, ANYBODY), method, route, about=cast.other)
            assert response.status_code in REFUSED, f"{role}: {method} {route}: {response.status_code}"


def test_who_may_act_for_users_asks_about_somebody_else() -> None:
    cast = Cast()
    actor = bearer(make_staff(permissions=["accounts.act_for_users"]))
    for method, route in sorted(takes_user_id()):
        with undone():
            status = cast.ask(actor, method, route, about=cast.other).status_code
        assert status in {200, 201, 404}, f"{method} {route}: {status}"


@pytest.mark.parametrize("name", ["event_id", "recommendation_id"])
def test_what_somebody_else_was_shown_is_not_found(name: str) -> None:
    cast = Cast()
    shown = make_impression(cast.other, cast.movie)
    value = shown.pk if name == "event_id" else str(shown.slate_id)
    body = cast.body("POST", "events") | {name: value}
    assert bearer(cast.other).send("POST", "/api/v1/events", body).status_code == 201
    for caller in (bearer(cast.viewer), guest(), bearer(cast.staff)):
        assert caller.send("POST", "/api/v1/events", body).status_code == 404


def test_a_cookie_writes_only_with_the_csrf_token() -> None:
    """Below auth/ nothing but register reads a cookie."""
    cast = Cast()
    for caller in (guest(csrf=False), signed_in(cast.viewer, csrf=False)):
        for method, route in API:
            if method in READS or (route.startswith("auth/") and route != "auth/password/change"):
                continue
            with undone():
                response = cast.ask(caller, method, route)
            assert response.status_code == 403, f"{method} {route}: {response.status_code}"
            assert response.json()["type"] == "urn:marquee:problem:csrf-refused"


def test_methods_that_an_address_lacks_are_405() -> None:
    cast = Cast()
    viewer = bearer(cast.viewer)
    for route in {route for _, route in API}:
        for method in METHODS:
            if (method, route) not in API:
                response = cast.ask(viewer, method, route)
                assert response.status_code == 405, f"{method} {route}: {response.status_code}"
                assert response.headers["Content-Type"] == "application/problem+json"


# --- Pages ---------------------------------------------------------------------------------------


def test_pages_are_for_anybody_by_the_methods_that_they_have() -> None:
    cast = Cast()
    callers = {
        "nobody": Caller({}, user=cast.other),
        "guest": guest(),
        "viewer": signed_in(cast.viewer),
        "staff": signed_in(cast.staff),
    }
    for role, caller in callers.items():
        for route, methods in PAGES.items():
            for method in METHODS:
                with undone():
                    status = caller.send(method, cast.path(route, 0)).status_code
                # Who has no cookie has no CSRF token, which is asked for before the method.
                is_unsigned = method != "GET" and role == "nobody" and not route.startswith("api/")
                expected = {403} if is_unsigned else PAGE_STATUSES if method in methods else {405}
                assert status in expected, f"{role}: {method} /{route}: {status}"


def test_a_form_needs_the_csrf_token() -> None:
    cast = Cast()
    for caller in (guest(csrf=False), signed_in(cast.viewer, csrf=False)):
        for route, methods in PAGES.items():
            if "POST" in methods:
                assert caller.send("POST", cast.path(route, 0)).status_code == 403, route


def test_a_programs_credential_opens_no_page_and_no_admin() -> None:
    cast = Cast()
    root = bearer(make_user(is_staff=True, is_superuser=True))
    assert root.user.username not in root.send("GET", "/").content.decode()
    assert root.send("GET", "/admin/").status_code == 302
    assert cast.caller("key with scope", ADD_MOVIE).send("GET", "/admin/").status_code == 302


# --- The admin -----------------------------------------------------------------------------------

TABLES = sorted(admin.site._registry.items(), key=lambda entry: entry[0]._meta.label)
EACH_TABLE = pytest.mark.parametrize(
    ("model", "table"), TABLES, ids=[model._meta.label for model, _ in TABLES]
)


def five_pages(row: Model) -> dict[str, str]:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
    pages = {page: reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "delete", "history")}
    return {"list": reverse(f"{name}_changelist"), "add": reverse(f"{name}_add"), **pages}


def statuses(caller: Caller, pages: dict[str, str], method: str = "GET") -> dict[str, int]:
    return {page: caller.send(method, path).status_code for page, path in pages.items()}


def permission(row: Model, verb: str) -> str:
    return f"{row._meta.app_label}.{verb}_{row._meta.model_name}"


@EACH_TABLE
def test_a_table_asks_everybody_to_log_in_and_refuses_staff_without_permission(
    model: type[Model], table: ModelAdmin
) -> None:
    pages = five_pages(make_row(model))
    for caller in (Caller({}, user=User(pk=0)), guest(), signed_in(make_user())):
        for path in pages.values():
            response = caller.send("GET", path)
            assert response.status_code == 302
            assert response.headers["Location"].startswith("/admin/login/?next=")
    staff = signed_in(make_staff())
    for method in ("GET", "POST"):
        assert statuses(staff, pages, method) == dict.fromkeys(pages, 403)


@EACH_TABLE
def test_who_may_view_a_table_sees_it_and_changes_nothing(model: type[Model], table: ModelAdmin) -> None:
    row = make_row(model)
    viewing = signed_in(make_staff(permissions=[permission(row, "view")]))
    assert statuses(viewing, five_pages(row)) == {
        "list": 200,
        "change": 200,
        "history": 200,
        "add": 403,
        "delete": 403,
    }
    pages = {page: path for page, path in five_pages(row).items() if page in {"add", "change", "delete"}}
    assert statuses(viewing, pages, "POST") == {"add": 403, "change": 403, "delete": 403}


def test_the_log_preferences_and_versions_are_changed_by_nobody() -> None:
    root = signed_in(make_user(is_staff=True, is_superuser=True))
    for model, table in TABLES:
        if isinstance(table, ReadOnlyAdmin):
            pages = five_pages(make_row(model))
            opened = {page: status for page, status in statuses(root, pages).items() if status != 403}
            assert opened == {"list": 200, "change": 200, "history": 200}, model._meta.label
            assert root.send("POST", pages["change"]).status_code == 403, model._meta.label


def test_who_may_only_view_is_offered_no_action_on_rows() -> None:
    for model, table in TABLES:
        request = RequestFactory().get("/")
        request.user = make_staff(permissions=[f"{model._meta.app_label}.view_{model._meta.model_name}"])
        assert not table.get_actions(request), model._meta.label


def test_tokens_are_shown_to_nobody() -> None:
    """A refresh token opens its user's account."""
    assert not {OutstandingToken, BlacklistedToken} & set(admin.site._registry)


@pytest.mark.parametrize("route", ADMIN)
def test_what_else_the_admin_has_takes_what_the_table_says(route: str) -> None:
    (method, takes), path = ADMIN[route], own_path(route)
    for caller in (Caller({}, user=User(pk=0)), guest(), signed_in(make_user())):
        with undone():
            status = caller.send(method, path).status_code
        assert status in ({200} if takes == "anybody" else {302, 403})
    staff = signed_in(make_staff()).send(method, path)
    is_refused = staff.status_code == 403 or (staff.status_code == 404 and "app_label" in route)
    assert is_refused == ("." in takes), f"staff without permission: {staff.status_code}"
    if "." in takes:
        allowed = signed_in(make_staff(permissions=[takes])).send(method, path)
        assert allowed.status_code in {200, 302}
        assert "/login/" not in allowed.headers.get("Location", "")


def own_path(route: str) -> str:
    if route == "admin/autocomplete/":
        return "/admin/autocomplete/?app_label=catalog&model_name=movie&field_name=primary_genre"
    movie = ContentType.objects.get(app_label="catalog", model="movie")
    values = {
        "<path:content_type_id>": str(movie.pk),
        "<path:object_id>": str(make_movie().pk),
        "<app_label>": "catalog",
        "<id>": str(make_user().pk),
        "(?P<url>.*)$": "nowhere",
    }
    for name, value in values.items():
        route = route.replace(name, value)
    assert "<" not in route, f"/{route} takes something that these tests do not know: teach them"
    return f"/{route}"
