"""Other people's sites: they cannot act for who visits them, and no link of ours leads to them."""

from urllib.parse import urlencode, urlsplit

import pytest
from django.contrib import admin
from django.urls import reverse

from apps.accounts.models import Session, User
from apps.accounts.sessions import SessionStore
from apps.catalog.models import Movie
from apps.ratings.models import Rating
from tests.callers import METHODS, Caller, guest, signed_in, undone
from tests.factories import PASSWORD, make_movie, make_user
from tests.permissions.cast import Cast
from tests.permissions.tables import API, PAGES, READS

pytestmark = pytest.mark.django_db

ELSEWHERE = "https://evil.example"
ORIGINS = (ELSEWHERE, "null", "http://testserver.evil.example", "http://testserver:81")
TABLES = sorted(admin.site._registry, key=lambda model: model._meta.label)
# Names under which a page may be told where to go on.
PLACES = ("next", "redirect", "url", "return_to")
AWAY = (
    f"{ELSEWHERE}/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "/\t/evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "http://testserver@evil.example/",
)


def writes() -> list[tuple[str, str]]:
    """Method and address of everything that a browser's cookie may change."""
    pages = [("POST", route) for route, methods in PAGES.items() if "POST" in methods]
    return pages + [(method, f"api/v1/{route}") for method, route in API if method not in READS]


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["form", "htmx"])
def test_a_foreign_page_writes_nothing_with_our_cookies(origin: str, headers: dict[str, str]) -> None:
    cast = Cast()
    for caller in (guest(), signed_in(cast.viewer)):
        foreign = Caller(
            {**caller.headers, **headers, "Origin": origin}, user=caller.user, browser=caller.browser
        )
        for method, route in writes():
            if route.startswith("api/v1/auth/") and route != "api/v1/auth/password/change":
                continue  # They read no cookie's rights: whoever knows a password may send it from anywhere.
            with undone():
                status = foreign.send(method, cast.path(route, cast.viewer.pk)).status_code
            assert status == 403, f"{method} /{route}: {status}"


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_foreign_page_takes_no_guest_over(origin: str) -> None:
    """Below auth/ the guest's cookie would bring its ratings along, into the attacker's account."""
    make_user("eve")
    film, visitor = make_movie("Alien", year=1979), guest()
    assert visitor.send("PUT", f"/api/v1/ratings/{film.pk}", {"rating": 4}).status_code == 201
    mine = Rating.objects.get().user
    for path, body in (
        ("token", {"username": "eve", "password": PASSWORD}),
        ("register", {"username": "mallory", "password": PASSWORD}),
    ):
        for headers in ({}, visitor.headers):
            foreign = Caller({**headers, "Origin": origin}, user=mine, browser=visitor.browser)
            assert foreign.send("POST", f"/api/v1/auth/{path}", body).status_code == 403
    assert (
        visitor.browser.post(
            "/log-in",
            {"username": "eve", "password": PASSWORD},
            headers={**visitor.headers, "Origin": origin},
        ).status_code
        == 403
    )
    mine.refresh_from_db()
    assert (mine.is_current_guest, Rating.objects.get().user) == (True, mine)
    assert not User.objects.filter(username="mallory").exists()


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_foreign_page_writes_nothing_in_the_admin(origin: str) -> None:
    root = signed_in(make_user(is_staff=True, is_superuser=True))
    foreign = Caller({**root.headers, "Origin": origin}, user=root.user, browser=root.browser)
    film = make_movie("Alien", year=1979)
    pages = [reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add") for model in TABLES]
    pages += [
        reverse("admin:catalog_movie_delete", args=[film.pk]),
        reverse("admin:catalog_movie_changelist"),
    ]
    pages += ["/admin/training/trainingrun/retrain/", "/admin/logout/"]
    for page in pages:
        assert foreign.browser.post(page, {"post": "yes"}, headers=foreign.headers).status_code == 403, page
    assert Movie.objects.filter(pk=film.pk).exists()


@pytest.mark.parametrize("place", AWAY)
def test_no_address_leads_away_from_the_site(place: str) -> None:
    cast = Cast()
    for caller in (guest(), signed_in(cast.viewer)):
        for route, methods in PAGES.items():
            path = cast.path(route, 0)
            for method in set(METHODS) & methods:
                with undone():
                    response = caller.browser.generic(
                        method,
                        path,
                        "&".join(f"{name}={place}" for name in PLACES) if method == "POST" else "",
                        "application/x-www-form-urlencoded",
                        query_string="&".join(f"{name}={place}" for name in PLACES),
                        headers={**caller.headers, "Referer": f"{ELSEWHERE}/"},
                    )
                target = urlsplit(response.headers.get("Location", ""))
                assert (target.scheme, target.netloc) == ("", ""), f"{method} /{route}: {target}"
                assert not target.path.startswith(("//", "/\\", "\\")), f"{method} /{route}: {target}"


@pytest.mark.parametrize("place", AWAY)
def test_no_form_that_succeeds_leads_away_from_the_site(place: str) -> None:
    viewer, film = make_user("ada", is_staff=True), make_movie("Alien", year=1979)
    account = {"password": PASSWORD, "username": "ada"}
    said = {"kind": "rate", "value": "4", "client_id": "0" * 32}
    forms: dict[str, tuple[User | None, dict[str, str]]] = {
        "/log-in": (None, account),
        "/admin/login/": (None, account),
        "/sign-up": (None, {"username": "eve", "password": PASSWORD}),
        "/log-out": (viewer, {}),
        "/settings": (viewer, account),
        "/settings/theme": (None, {"theme": "dark"}),
        "/settings/time-zone": (None, {"timezone": "Europe/Lisbon"}),
        "/settings/sessions/end-others": (viewer, {}),
        f"/film/{film.pk}/feedback": (None, said),
        f"/welcome/unseen/{film.pk}": (None, {}),
    }
    posed = dict.fromkeys(PLACES, place)
    for path, (user, form) in forms.items():
        for query, body in (("", form | posed), (f"?{urlencode(posed)}", form)):
            with undone():
                caller = signed_in(user) if user else guest()
                headers = {**caller.headers, "Referer": f"{ELSEWHERE}/"}
                answer = caller.browser.post(path + query, body, headers=headers)
            assert answer.status_code == 302, path
            target = urlsplit(answer.headers["Location"])
            assert (target.scheme, target.netloc) == ("", ""), f"{path}: {target}"
            assert not target.path.startswith(("//", "/\\", "\\")), f"{path}: {target}"


# --- Sessions that somebody planted --------------------------------------------------------------


def planted_by(attacker: Caller) -> Caller:
    """A victim whose browser holds the session, the unit and the token of the attacker's browser."""
    victim = guest()
    for name, cookie in attacker.browser.cookies.items():
        victim.browser.cookies[name] = cookie.value
    return Caller(attacker.headers, user=victim.user, browser=victim.browser)


def visitor_with_a_session() -> Caller:
    """The key is one that the server made and would take."""
    visitor = guest()
    session = SessionStore()
    session["theme"] = "dark"
    session.create()
    visitor.browser.cookies["sessionid"] = session.session_key
    return visitor


@pytest.mark.parametrize("path", ["/log-in", "/sign-up", "/admin/login/"])
def test_a_session_known_before_is_worth_nothing_after(path: str) -> None:
    """An attacker who planted a session key has none of the rights that its owner gets."""
    if path != "/sign-up":
        make_user("ada", is_staff=True)
    attacker = visitor_with_a_session()
    victim = planted_by(attacker)
    form = {"username": "ada", "password": PASSWORD}
    assert victim.browser.post(path, form, headers=victim.headers).status_code == 302
    known = attacker.browser.cookies["sessionid"].value
    assert victim.browser.cookies["sessionid"].value != known
    assert not Session.objects.filter(session_key=known).exists()
    assert victim.send("GET", "/api/v1/me").json()["username"] == "ada"
    assert attacker.send("GET", "/api/v1/me").json()["id"] is None
    assert attacker.send("GET", "/admin/").status_code == 302


def test_a_session_key_of_ones_own_making_is_never_taken() -> None:
    make_user("ada")
    victim = guest()
    victim.browser.cookies["sessionid"] = planted = "a" * 32
    form = {"username": "ada", "password": PASSWORD}
    assert victim.browser.post("/log-in", form, headers=victim.headers).status_code == 302
    assert victim.browser.cookies["sessionid"].value != planted
    assert not Session.objects.filter(session_key=planted).exists()


def test_a_session_ends_with_its_log_out_wherever_its_key_was_kept() -> None:
    owner = signed_in(make_user("ada"))
    thief = guest()
    thief.browser.cookies["sessionid"] = owner.browser.cookies["sessionid"].value
    assert thief.send("GET", "/api/v1/me").json()["username"] == "ada"
    assert owner.browser.post("/log-out", headers=owner.headers).status_code == 302
    assert thief.send("GET", "/api/v1/me").json()["id"] is None
