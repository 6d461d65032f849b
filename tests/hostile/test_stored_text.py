"""Text that somebody stored or sends, shown again: every page writes it as text."""

import csv
import io
import uuid
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import NoReverseMatch, reverse
from django.utils.html import escape

from apps.accounts.models import User
from apps.catalog.models import Entity, Keyword, Movie, MoviePerson, Person, Triple
from apps.core.spreadsheets import FORMULA_STARTS
from apps.ratings.services import set_rating
from tests.callers import METHODS, Caller, guest, signed_in, undone
from tests.factories import make_movie, make_user
from tests.house import make_house
from tests.permissions.cast import Cast
from tests.permissions.tables import PAGES
from tests.rows import make_row

pytestmark = pytest.mark.django_db

HOSTILE = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{ 7|add:35 }}"
RAW = (b"<img src=x", b"<script>alert", b"\"'>")


def is_clean(body: bytes) -> bool:
    return not any(raw in body for raw in RAW)


def root() -> Caller:
    """A superuser with a name that is none: no form takes it, a database may hold it all the same."""
    user = make_user(is_staff=True, is_superuser=True)
    User.objects.filter(pk=user.pk).update(username=HOSTILE, email=f"a@example.org{HOSTILE}")
    return signed_in(User.objects.get(pk=user.pk))


def make_hostile_film() -> Movie:
    film = make_movie(f"Film {HOSTILE}"[:190], year=1999, genres=[f"Drama {HOSTILE}"[:60]])
    Movie.objects.filter(pk=film.pk).update(overview=HOSTILE, original_title=HOSTILE)
    film.keywords.add(Keyword.objects.create(name=f"tag {HOSTILE}"[:90]))
    for number, role in enumerate(MoviePerson.Role):
        person = Person.objects.create(name=f"{role.label} {HOSTILE}")
        MoviePerson.objects.create(movie=film, person=person, role=role, position=number)
    head = Entity.objects.create(key=f"film:{HOSTILE}", kind="film", name=HOSTILE, movie=film)
    for relation in ("country", "series"):
        tail = Entity.objects.create(key=f"{relation}:{HOSTILE}", kind=relation, name=f"{relation} {HOSTILE}")
        Triple.objects.create(head=head, relation=relation, tail=tail)
    return film


def test_no_page_writes_stored_text_as_markup() -> None:
    caller, film, cast = root(), make_hostile_film(), Cast()
    cast.movie = film
    for route, methods in PAGES.items():
        if "GET" in methods:
            response = caller.browser.get(cast.path(route, 0))
            assert is_clean(response.content), f"/{route}"
    page = caller.browser.get(f"/film/{film.pk}").content.decode()
    for shown in ("Film", "Drama", "tag", "Director", "Writer", "Cast"):
        assert f"{shown} {escape(HOSTILE)}"[:40] in page, shown
    for query in (f"/search?q={HOSTILE}", "/search?q=Film"):
        assert is_clean(caller.browser.get(query).content)


def test_no_part_of_a_page_writes_stored_text_as_markup() -> None:
    """What htmx exchanges, what undoing offers, and what the next page says of an act."""
    caller, film = root(), make_hostile_film()
    for kind, value in (
        ("rate", "4"),
        ("favorite", ""),
        ("watchlist", ""),
        ("thumbs_up", ""),
        ("dismiss", ""),
    ):
        for target in ("", f"film-{film.pk}", "panel", "rows", "card", "line"):
            said = {"kind": kind, "value": value, "client_id": uuid.uuid4().hex}
            htmx = {"HX-Request": "true", "HX-Target": target} if target else {}
            answer = caller.browser.post(
                f"/film/{film.pk}/feedback", said, headers={**caller.headers, **htmx}, follow=True
            )
            assert answer.status_code == 200
            assert is_clean(answer.content), f"{kind}, {target}"
    for slug in ("ratings", "favorites", "watchlist", "thumbs", "dismissals"):
        listed = caller.browser.get(f"/my-films/{slug}")
        assert listed.status_code == 404 or is_clean(listed.content), slug
    suggested = caller.browser.get("/search/suggestions?q=Film").content
    assert b"Film &quot;&#x27;&gt;&lt;img" in suggested
    assert is_clean(suggested)


def test_no_import_writes_what_its_file_holds_as_markup() -> None:
    caller, film = root(), make_hostile_film()
    rows = [[HOSTILE, "1999"], [film.title, str(film.year)], [f"=cmd|'/c calc'!A1 {HOSTILE}", "2001"]]
    out = io.StringIO()
    csv.writer(out).writerows([["Date", "Name", "Year", "Letterboxd URI", "Rating"]])
    csv.writer(out).writerows([["2026-03-01", *row, HOSTILE, "4.5"] for row in rows])
    made = caller.send_file("/api/v1/me/import", f"{HOSTILE}.csv", out.getvalue().encode())
    assert made.status_code == 201
    number = made.json()["id"]
    preview = caller.browser.get(f"/settings/import/{number}")
    assert b"&lt;script&gt;alert(2)" in preview.content
    for step in ("apply", "undo"):
        assert is_clean(preview.content)
        preview = caller.browser.post(
            f"/settings/import/{number}/{step}", {"rule": "newer"}, headers=caller.headers, follow=True
        )
        assert preview.status_code == 200
    assert is_clean(preview.content)
    assert is_clean(caller.browser.get("/settings/import").content)
    for path in (f"/settings/import/{number}/unmatched.csv", f"/api/v1/me/import/{number}/unmatched"):
        table = caller.browser.get(path, headers={"Accept": "*/*"})
        assert table.headers["Content-Type"].startswith("text/csv")
        assert table.headers["Content-Disposition"].startswith("attachment")
        assert table.headers["X-Content-Type-Options"] == "nosniff"
        cells = [cell for row in csv.reader(io.StringIO(table.content.decode())) for cell in row]
        assert any(cell.startswith("'=cmd") for cell in cells)
        assert not [cell for cell in cells if cell.startswith(FORMULA_STARTS)]


def test_no_refusal_of_a_file_writes_what_it_holds_as_markup() -> None:
    caller = root()
    for data in (HOSTILE, f"Date,Name,Year,Letterboxd URI,Rating\n2026-03-01,A,1999,,{HOSTILE}\n"):
        file = SimpleUploadedFile(f"{HOSTILE}.csv", data.encode())
        answer = caller.browser.post("/settings/import", {"file": file}, headers=caller.headers)
        assert b"expected" in answer.content
        assert is_clean(answer.content)


def test_no_answer_of_the_api_is_taken_for_a_page() -> None:
    """JSON holds the text as it is: a browser must never guess that it is markup."""
    caller, film = root(), make_hostile_film()
    for path in (
        "me",
        "movies",
        f"movies/{film.pk}",
        f"movies/{film.pk}/similar",
        HOSTILE,
        f"movies?q={HOSTILE}",
    ):
        answer = caller.browser.get(f"/api/v1/{path}")
        assert answer.headers["Content-Type"] in {"application/json", "application/problem+json"}, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


# --- Reflected -----------------------------------------------------------------------------------

PARAMETERS = (
    *("q", "e", "p", "o", "id", "next", "page", "group", "genre", "exclude_genre", "year_min", "year_max"),
    *("language", "ordering", "sort", "list", "theme", "tab", "error", "message", "_changelist_filters"),
)


@pytest.mark.parametrize("is_known", [False, True])
def test_no_page_writes_what_was_asked_as_markup(is_known: bool) -> None:
    caller, cast = root() if is_known else guest(), Cast()
    query = urlencode(dict.fromkeys(PARAMETERS, HOSTILE) | {HOSTILE: HOSTILE})
    for route, methods in PAGES.items():
        for method in METHODS:
            with undone():
                path = f"{cast.path(route, 0)}?{query}"
                body = query if method != "GET" else ""
                form = "application/x-www-form-urlencoded"
                answer = caller.browser.generic(method, path, body, form, headers=caller.headers)
            assert method not in methods or answer.status_code in {200, 301, 302, 400}, f"{method} /{route}"
            assert is_clean(answer.content), f"{method} /{route}"


def test_no_page_of_the_admin_writes_what_was_asked_as_markup() -> None:
    caller = root()
    query = urlencode(dict.fromkeys(PARAMETERS, HOSTILE))
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for page in _pages(name, HOSTILE):
            answer = caller.browser.get(f"{page.partition('?')[0]}?{query}", follow=True)
            assert answer.status_code in {200, 403, 404}, page
            assert is_clean(answer.content), page
    for page in ("/admin/login/", "/admin/search/", "/admin/autocomplete/"):
        assert is_clean(caller.browser.get(f"{page}?{query}", follow=True).content), page


@pytest.mark.parametrize("header", ["Accept", "User-Agent", "Referer", "Origin", "X-Request-ID", "HX-Target"])
def test_no_page_writes_a_header_as_markup(header: str) -> None:
    caller = root()
    for path in (f"/{HOSTILE}", f"/film/{HOSTILE}", "/admin/nothing-here/", "/settings/sessions", "/log-in"):
        for method in ("GET", "POST"):
            headers = {**caller.headers, header: HOSTILE}
            answer = caller.browser.generic(method, path, headers=headers)
            assert answer.status_code < 500
            assert is_clean(answer.content), f"{method} {path}"
            assert HOSTILE not in answer.headers.values()


def test_no_reason_writes_a_title_as_markup() -> None:
    house = make_house()
    Movie.objects.update(title=f"Fright {HOSTILE}"[:190])
    caller = root()
    for film in house.horror[:6]:
        set_rating(user=caller.user, movie=film, value=5.0, at=film.created_at)
    page = caller.browser.get("/").content
    assert b"Because you liked" in page
    assert is_clean(page)
    assert is_clean(caller.browser.get(f"/film/{house.horror[7].pk}").content)


def test_no_page_of_the_admin_writes_stored_text_as_markup() -> None:
    caller, film = root(), make_hostile_film()
    for model in admin.site._registry:
        row = film if model is Movie else make_row(model)
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for page in _pages(name, row.pk):
            response = caller.browser.get(page)
            assert is_clean(response.content), page


def _pages(name: str, pk: object) -> list[str]:
    """List, row and history, as far as the table has them."""
    makers: list[Callable[[], str]] = [
        lambda: reverse(f"{name}_changelist"),
        lambda: reverse(f"{name}_changelist") + f"?q={HOSTILE}",
        lambda: reverse(f"{name}_change", args=[pk]),
        lambda: reverse(f"{name}_history", args=[pk]),
    ]
    found = []
    for make in makers:
        try:
            found.append(make())
        except NoReverseMatch:
            continue
    return found
