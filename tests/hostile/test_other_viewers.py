"""What is somebody else's: neither body, path, query, header nor cookie leads there."""

from collections.abc import Iterator

import pytest

from apps.accounts.models import User
from apps.ratings.models import Import, Rating
from tests.callers import Caller, bearer, guest, signed_in, undone
from tests.factories import make_movie, make_rating, make_staff, make_user
from tests.permissions.cast import Cast
from tests.permissions.tables import API, PAGES

pytestmark = pytest.mark.django_db

NAME, EMAIL, FILM = "ursula-of-anarres", "ursula@anarres.example", "The Word for World is Forest"
# Names under which frameworks, proxies and careless code pass an identity on.
IDENTITY_HEADERS = (
    "From",
    "Remote-User",
    "X-Remote-User",
    "X-User",
    "X-User-Id",
    "X-Username",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Auth-Request-User",
    "X-Original-User",
    "X-Impersonate",
    "X-Act-For-User",
    "X-On-Behalf-Of",
    "X-Unit",
    "X-Unit-Key",
    "X-Session-Id",
)
IDENTITY_FIELDS = (
    "user",
    "user_id",
    "username",
    "viewer",
    "viewer_id",
    "owner",
    "account",
    "unit",
    "unit_key",
)


@pytest.fixture
def owner() -> User:
    """Somebody of whom a name, an address and a film are known."""
    user = make_user(NAME, email=EMAIL)
    make_rating(user, make_movie(FILM, year=1976), 4.5)
    return user


def callers() -> dict[str, Caller]:
    return {
        "guest": guest(),
        "viewer": signed_in(make_user()),
        "token": bearer(make_user()),
        "staff": signed_in(make_staff()),
    }


def names_of(user: User) -> list[str]:
    return [str(user.pk), user.username, user.email, user.unit_key.hex, str(user.unit_key)]


def own_addresses(cast: Cast) -> Iterator[str]:
    """Addresses that answer with what is the caller's own."""
    for method, route in API:
        if method == "GET" and "<" not in route and not route.startswith("movies"):
            yield f"/api/v1/{route}"
    for route, methods in PAGES.items():
        is_own = route.startswith(("my-films", "settings", "ratings"))
        if "GET" in methods and is_own and "<id:" not in route:
            yield cast.path(route, 0)


def tells_of(owner: User, content: bytes) -> bool:
    return any(secret.encode() in content for secret in (NAME, EMAIL, FILM, owner.unit_key.hex))


def test_the_owner_sees_what_is_looked_for_here(owner: User) -> None:
    """Else the tests below would find nothing for the wrong reason."""
    browser, cast = signed_in(owner), Cast()
    told = {path for path in own_addresses(cast) if tells_of(owner, browser.send("GET", path).content)}
    assert {"/api/v1/me", "/api/v1/ratings", "/my-films", "/settings"} <= told


def posing(caller: Caller, headers: dict[str, str]) -> Caller:
    return Caller(caller.headers | headers, user=caller.user, browser=caller.browser)


def test_no_header_says_who_somebody_is(owner: User) -> None:
    cast = Cast()
    for name in names_of(owner):
        for role, caller in callers().items():
            posed = posing(caller, dict.fromkeys(IDENTITY_HEADERS, name))
            assert posed.send("GET", "/api/v1/me").json()["id"] in {caller.user.pk, None}, role
            for path in own_addresses(cast) if name == owner.username else ("/api/v1/ratings", "/my-films"):
                assert not tells_of(owner, posed.send("GET", path).content), f"{role}: {path}"


def test_no_header_and_no_method_in_a_header_writes_for_somebody_else(owner: User) -> None:
    film = make_movie("Alien", year=1979)
    methods = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
    headers = dict.fromkeys(IDENTITY_HEADERS, str(owner.pk)) | dict.fromkeys(methods, "DELETE")
    for caller in callers().values():
        with undone():
            answer = posing(caller, headers).send("PUT", f"/api/v1/ratings/{film.pk}", {"rating": 1})
            assert answer.status_code in {200, 201}
            assert Rating.objects.filter(movie=film, value=1).count() == 1
            assert not Rating.objects.filter(movie=film, user=owner).exists()
    assert User.objects.filter(pk=owner.pk).exists()


def test_no_cookie_of_ones_own_making_is_somebody(owner: User) -> None:
    key = owner.unit_key.hex
    for unit in (key, f"{key}:x:y", f"{key}:{'a' * 43}", str(owner.pk), NAME):
        for name in ("unit", "sessionid", "user", "user_id", "username"):
            stranger = guest()
            stranger.browser.cookies[name] = unit
            assert stranger.send("GET", "/api/v1/me").json()["id"] is None
            for path in ("/api/v1/ratings", "/my-films", "/settings"):
                assert not tells_of(owner, stranger.send("GET", path).content), f"{name}: {path}"


def test_no_query_of_a_page_leads_to_somebody_else(owner: User) -> None:
    cast = Cast()
    for caller in callers().values():
        for path in own_addresses(cast):
            if not path.startswith("/api/"):
                query = "&".join(f"{field}={owner.pk}" for field in IDENTITY_FIELDS)
                assert not tells_of(owner, caller.send("GET", f"{path}?{query}").content), path


def test_no_field_of_a_form_speaks_for_somebody_else(owner: User) -> None:
    film = make_movie("Alien", year=1979)
    for value in (str(owner.pk), NAME):
        for caller in (guest(), signed_in(make_user())):
            posed = dict.fromkeys(IDENTITY_FIELDS, value)
            said = {"kind": "rate", "value": "2", "client_id": "0" * 32}
            with undone():
                answer = caller.browser.post(
                    f"/film/{film.pk}/feedback", said | posed, headers=caller.headers
                )
                assert answer.status_code == 302
                assert Rating.objects.get(movie=film).user_id != owner.pk


def test_what_has_an_owner_is_not_there_for_others() -> None:
    """Every address of API and site that names something of one viewer's."""
    cast = Cast()
    asked = [(method, f"/api/v1/{route}") for method, route in API if "<id:import_id>" in route]
    pages = [(method, route) for route, methods in PAGES.items() for method in methods]
    asked += [(method, f"/{route}") for method, route in pages if "<id:import_id>" in route]
    assert len(asked) == 8
    before = Import.objects.values().get(pk=cast.an_import.pk)
    actor = make_staff(permissions=["accounts.act_for_users"])
    for method, route in asked:
        path = route.replace("<id:import_id>", str(cast.an_import.pk))
        # A page says it where one's own are listed.
        not_there = (404, None) if path.startswith("/api/") else (302, "/settings/import")
        for caller in (guest(), signed_in(make_user()), signed_in(make_staff()), signed_in(actor)):
            assert ask(caller, method, path) == not_there, f"{method} {path}"
        status, place = ask(signed_in(cast.viewer), method, path)
        assert (status, place) in {(200, None), (302, f"/settings/import/{cast.an_import.pk}")}, path
    assert Import.objects.values().get(pk=cast.an_import.pk) == before


def ask(caller: Caller, method: str, path: str) -> tuple[int, str | None]:
    """Status and address to go on to; what it did is undone."""
    with undone():
        if method == "POST" and not path.startswith("/api/"):
            answer = caller.browser.post(path, {"rule": "newer"}, headers=caller.headers)
        else:
            answer = caller.send(method, path, {"rule": "newer"} if path.endswith("/apply") else None)
    return answer.status_code, answer.headers.get("Location")
