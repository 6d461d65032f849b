"""Who may do what, at every address there is. An address that is not in a table fails the test.

An address of the API is for V, anybody; for O, anybody about themselves (a key must act for users);
for U, an account for itself or a key that acts for users; for A, an account and no key; or for who
holds a permission, and for keys with the scope that stands for it. Each is asked as every
kind of caller. Refused is 401 or 403; served is any other answer but a server error, so that the
test needs no valid body.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework_simplejwt.tokens import AccessToken

from apps.accounts.models import User
from tests.factories import make_api_key, make_movie, make_staff, make_user

pytestmark = pytest.mark.django_db

V, O, U, A = "V", "O", "U", "A"
ADD_MOVIE = ("catalog.add_movie", "catalog.write")
CHANGE_MOVIE = ("catalog.change_movie", "catalog.write")
Who = str | tuple[str, str]

OWN_LISTS = ("ratings", "favorites", "watchlist", "dismissals")
API: dict[tuple[str, str], Who] = {
    ("POST", "auth/token"): V,
    ("POST", "auth/token/refresh"): V,
    ("POST", "auth/token/blacklist"): V,
    ("POST", "auth/register"): V,
    ("POST", "auth/password/change"): A,
    ("POST", "auth/password/reset"): V,
    ("POST", "auth/password/reset/confirm"): V,
    ("GET", "me"): O,
    ("PATCH", "me"): O,
    ("DELETE", "me"): O,
    ("GET", "me/export"): O,
    ("GET", "movies"): V,
    ("POST", "movies"): ADD_MOVIE,
    ("GET", "movies/recommendations"): V,
    ("GET", "movies/<id:movie_id>"): V,
    ("PUT", "movies/<id:movie_id>"): CHANGE_MOVIE,
    ("PATCH", "movies/<id:movie_id>"): CHANGE_MOVIE,
    ("GET", "movies/<id:movie_id>/similar"): V,
    ("POST", "recommend"): U,
    ("POST", "events"): V,
    ("POST", "analytics/track/click"): U,
    ("POST", "analytics/track/rating"): U,
    ("POST", "analytics/track/thumbs-up"): U,
    ("POST", "analytics/track/thumbs-down"): U,
    ("POST", "analytics/track/favorite/<id:user_id>/<id:movie_id>"): U,
    ("POST", "analytics/track/watchlist/<id:user_id>/<id:movie_id>"): U,
    **{("GET", name): O for name in OWN_LISTS},
    **{(method, f"{name}/<id:movie_id>"): O for name in OWN_LISTS for method in ("GET", "PUT", "DELETE")},
}
# Addresses outside the API and the admin: every one is for anybody, some only after a login.
PAGES: dict[str, str] = {}

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REFUSED = {401, 403}


@dataclass(frozen=True)
class Address:
    route: str
    pattern: URLPattern

    @property
    def methods(self) -> set[str]:
        view = getattr(self.pattern.callback, "cls", None) or getattr(
            self.pattern.callback, "view_class", None
        )
        return {method for method in METHODS if hasattr(view, method.lower())} if view else {"GET"}


def addresses(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[Address]:
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry, route)
        else:
            yield Address(route, entry)


def api_addresses() -> list[Address]:
    return [address for address in addresses() if address.route.startswith("api/v1/")]


class Cast:
    """One caller of every kind, and a film for all of them."""

    def __init__(self) -> None:
        self.movie = make_movie(title="Alien", year=1979, genres=["Horror"])
        self.viewer, self.other = make_user(), make_user()
        self.staff = make_staff()
        self.key = make_api_key("analytics.read")[1]

    def headers(self, role: str, who: Who) -> dict[str, str]:
        if role in {"nobody", "guest"}:
            return {}
        if role == "key without scope":
            return {"Authorization": f"Api-Key {self.key}"}
        if role == "key with scope":
            scope = who[1] if isinstance(who, tuple) else "act_for_users"
            return {"Authorization": f"Api-Key {make_api_key(scope)[1]}"}
        return {"Authorization": f"Bearer {AccessToken.for_user(self.user(role, who))}"}

    def user(self, role: str, who: Who) -> User:
        if role == "staff with permission":
            return make_staff(permissions=[who[0]] if isinstance(who, tuple) else [])
        return {"viewer": self.viewer, "staff without permission": self.staff}[role]


ROLES = (
    "nobody",
    "guest",
    "viewer",
    "key without scope",
    "key with scope",
    "staff without permission",
    "staff with permission",
)
PEOPLE = {"viewer", "staff without permission", "staff with permission"}
SERVED = {
    V: set(ROLES),
    O: PEOPLE | {"nobody", "guest", "key with scope"},
    U: PEOPLE | {"key with scope"},
    A: PEOPLE,
}


def is_served(role: str, who: Who) -> bool:
    if isinstance(who, tuple):
        return role in {"key with scope", "staff with permission"}
    return role in SERVED[who]
