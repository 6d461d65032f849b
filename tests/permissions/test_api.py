"""Each address of the API, asked as every kind of caller, with a body that would do; refused is 401 or 403.

A caller who asks for somebody else is refused wherever the API takes a ``user_id``.
"""

import re
from functools import cache as cache_once
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.callers import METHODS, api_routes, bearer, guest, signed_in, undone
from tests.factories import make_staff
from tests.permissions.cast import Cast
from tests.permissions.tables import ANYBODY, API, READS, REFUSED, ROLES, is_served
from tests.rows import make_impression

pytestmark = pytest.mark.django_db


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
    for route in {route for _, route in API}:
        allowed = {method: who for (method, of), who in API.items() if of == route}
        # Of an address that is for staff alone a viewer learns nothing.
        for_all = [who for who in allowed.values() if not isinstance(who, tuple)]
        role = "viewer" if for_all else "staff with permission"
        caller = cast.caller(role, next(iter(for_all or allowed.values())))
        for method in METHODS:
            if method not in allowed:
                response = cast.ask(caller, method, route)
                assert response.status_code == 405, f"{method} {route}: {response.status_code}"
                assert response.headers["Content-Type"] == "application/problem+json"


@cache_once
def takes_user_id() -> set[tuple[str, str]]:
    """Addresses of the API that may be asked about somebody, by the OpenAPI document."""
    schema = SchemaGenerator().get_schema(public=True)
    found = set()
    for method, route in api_routes():
        operation = schema["paths"]["/api/v1/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)][method.lower()]
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
