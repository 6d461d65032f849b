"""Other people's sites: they cannot act for who visits them, and no link of ours leads to them."""

from urllib.parse import urlsplit

import pytest

from tests.callers import METHODS, Caller, guest, signed_in, undone
from tests.factories import make_user
from tests.permissions.cast import Cast
from tests.permissions.tables import API, PAGES, READS

pytestmark = pytest.mark.django_db

ELSEWHERE = "https://evil.example"
ORIGINS = (ELSEWHERE, "null", "http://testserver.evil.example", "http://testserver:81")
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


def test_a_session_known_before_a_log_in_is_worth_nothing_after() -> None:
    """An attacker who planted a session key has none of the rights that its owner gets by logging in."""
    viewer = make_user(username="ada")
    victim = guest().browser
    planted = "a" * 32
    victim.cookies["sessionid"] = planted
    token = victim.get("/log-in").cookies.get("csrftoken") or victim.cookies["csrftoken"]
    form = {"username": "ada", "password": "an-Unusual-passphrase-41", "csrfmiddlewaretoken": token.value}
    assert victim.post("/log-in", form).status_code == 302
    assert victim.cookies["sessionid"].value != planted
    attacker = guest().browser
    attacker.cookies["sessionid"] = planted
    assert viewer.username not in attacker.get("/").content.decode()
