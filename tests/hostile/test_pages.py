"""What nobody means well by, on pages and in forms: never an error of the server."""

import pytest
from django.core.cache import cache
from django.http import HttpResponse

from apps.catalog.models import Movie
from apps.ratings.models import Rating
from tests.callers import guest
from tests.hostile.sending import FULL_WIDTH, send

pytestmark = pytest.mark.django_db

FILLED_IN = {
    "username": "someone",
    "password": "x",
    "email": "a@example.org",
    "kind": "rate",
    "value": "4",
    "client_id": "0" * 32,
}
TEXTS = (
    "\x00",
    "a\x00b",
    "\ufffe\uffff",
    "'; DROP TABLE movies; --",
    "%",
    "_",
    "\\",
    "a" * 100_000,
    "(" * 1_000,
    FULL_WIDTH,
    "<script>alert(1)</script>",
    "{{ settings.SECRET_KEY }}",
    "\u202e\u200b\u0300" * 100,
    "İ" * 200,
    "\U0001f3ac" * 200,
)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_search_answers_whatever_is_searched(text: str, movie: Movie) -> None:
    for query in ({"q": text}, {"q": text, "page": text}, {"page": text}, {text[:50]: text}):
        response = guest().browser.get("/search", query)
        assert response.status_code == 200
        assert b"<script>alert" not in response.content


@pytest.mark.parametrize(
    "query", ["q=%FF%FE", "q=%ED%A0%80", "q=%", "page=-1", "page=" + "9" * 5_000, "q=&q=&q=a"]
)
def test_pages_read_a_query_as_best_they_can(query: str, movie: Movie) -> None:
    for path in (
        "/search",
        "/my-films",
        "/my-films/thumbs",
        "/welcome",
        "/settings",
        "/",
        f"/film/{movie.pk}",
        "/gems",
        "/surprise",
        "/log-in",
    ):
        assert guest().browser.get(f"{path}?{query}&e={query[-20:]}&next={query[-20:]}").status_code == 200


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_form_answers_whatever_is_filled_in(text: str, movie: Movie) -> None:
    forms = {
        "/sign-up": ("username", "password", "email"),
        "/log-in": ("username", "password"),
        "/password/reset/": ("email",),
        f"/film/{movie.pk}/feedback": ("kind", "value", "event_id", "client_id"),
        f"/welcome/unseen/{movie.pk}": (),
        "/settings": ("username", "email", "password"),
        "/settings/time-zone": ("timezone",),
        "/settings/theme": ("theme",),
        "/settings/erase": ("confirmation", "password"),
    }
    for path, fields in forms.items():
        for only in (*fields, ""):
            data = {name: text if only in {name, ""} else FILLED_IN.get(name, "") for name in fields}
            response = fill_in(path, data | {"next": text})
            assert response.status_code in {200, 302, 400}, (path, only)
            assert b"<script>alert" not in response.content


@pytest.mark.parametrize(
    "value", ["nan", "inf", "-inf", "1e999", "0", "6", "4.2", FULL_WIDTH, "4,5", "9" * 5_000]
)
def test_a_form_takes_no_rating_that_is_none(value: str, movie: Movie) -> None:
    data = {"kind": "rate", "value": value, "client_id": "0" * 32}
    assert fill_in(f"/film/{movie.pk}/feedback", data).status_code in {302, 400}
    assert not Rating.objects.exists()


def test_a_form_that_is_none_is_refused(movie: Movie) -> None:
    visitor = guest()
    path = f"/film/{movie.pk}/feedback"
    for body, content_type, status in (
        (b"\xff\xfe=\xed\xa0\x80", "application/x-www-form-urlencoded", 400),
        (b"kind=rate&value=4&kind=%00", "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 400),
        (b"--x", "multipart/form-data", 400),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\n", "multipart/form-data; boundary=x", 400),
        (b"&".join(b"a%d=1" % number for number in range(2_000)), "application/x-www-form-urlencoded", 400),
        (b"kind=" + b"a" * 2_000_000, "application/x-www-form-urlencoded", 400),
    ):
        response = send(visitor, "POST", path, body, content_type=content_type)
        assert response.status_code == status, (body[:40], content_type)


@pytest.mark.parametrize(
    "path",
    [
        "%00",
        "film/%00",
        "film/0",
        "film/" + "9" * 400,
        "film/%EF%BC%91",
        "%ff%fe",
        "..%2f..%2fetc",
        "x" * 9_000,
    ],
)
def test_a_page_that_is_none_is_not_found(path: str) -> None:
    response = guest().browser.get(f"/{path}")
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    "uid", ["MQ", "x", "%00", "9" * 500, "LTE", "%EF%BC%91", "MTAwMDAwMDAwMDAwMDAwMDAwMDAwMA"]
)
def test_a_link_that_we_did_not_mail_opens_nothing(uid: str) -> None:
    for token in ("a-b", "%00", "c" * 5_000, "-"):
        assert guest().browser.get(f"/password/reset/{uid}/{token}/").status_code == 302


def fill_in(path: str, data: dict[str, str]) -> HttpResponse:
    """What a browser sends, with the token of its form."""
    visitor = guest()
    cache.clear()
    return visitor.browser.post(path, data, headers=visitor.headers)
