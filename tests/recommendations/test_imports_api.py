"""``/me/import``: sent, looked at, applied, undone; one's own alone."""

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.events.models import RecommendationEvent
from apps.ratings.models import Import, Rating
from tests.callers import Caller, bearer, guest
from tests.factories import make_api_key, make_movie, make_rating, make_user, preview_file
from tests.hostile.sending import assert_problem, send
from tests.house import House
from tests.ratings.imports import files
from tests.ratings.imports.files import table

pytestmark = pytest.mark.django_db

PATH = "/api/v1/me/import"


def ratings(*rows: str) -> bytes:
    return table(files.LETTERBOXD_RATINGS, *rows)


@pytest.fixture
def heat() -> Movie:
    return make_movie("Heat", year=1995)


@pytest.fixture
def ada() -> Caller:
    return bearer(make_user("ada"))


def sent(caller: Caller, data: bytes, name: str = "ratings.csv") -> dict[str, Any]:
    response = caller.send_file(PATH, name, data)
    assert response.status_code == 201, response.content
    return dict(response.json())


def test_a_file_is_looked_at_applied_and_undone(ada: Caller, heat: Movie) -> None:
    seven = make_rating(ada.user, make_movie("Seven", year=1995), 2.0).movie
    data = ratings("2026-01-02,Heat,1995,,4.5", "2026-01-02,Seven,1995,,5", "2026-01-02,Gone,1990,,1")
    made = sent(ada, data)
    assert made["preview"] == {
        "new": 1,
        "unchanged": 0,
        "conflicts": 1,
        "changed": {"mine": 0, "file": 1, "newer": 0},
        "unmatched": 1,
        "repeated": 0,
        "skipped": {},
    }
    assert made["scale"] == "Letterboxd has half stars from ½ to 5, as we do: they stay as they are."
    assert (made["status"], made["applied"], made["undone"]) == ("previewed", None, None)
    assert made["rows"]["new"][0] == {
        "file": "ratings.csv",
        "line": 2,
        "kind": "rating",
        "title": "Heat",
        "year": 1995,
        "movie_id": heat.pk,
        "value": 4.5,
        "at": "2026-01-02T00:00:00Z",
        "mine": None,
        "mine_at": None,
        "why": None,
    }
    applied = ada.send("POST", f"{PATH}/{made['id']}/apply", {"rule": "file"}).json()
    assert (applied["status"], applied["rule"], applied["can_be_undone"]) == ("applied", "file", True)
    assert applied["applied"] == {"added": 1, "changed": 1, "kept": 0}
    assert ada.send("POST", f"{PATH}/{made['id']}/apply", {"rule": "file"}).json() == applied
    undone = ada.send("POST", f"{PATH}/{made['id']}/undo").json()
    assert undone["undone"] == {"restored": 2, "left": 0}
    assert list(Rating.objects.values_list("movie", "value")) == [(seven.pk, 2.0)]
    assert ada.send("GET", f"{PATH}/{made['id']}").json()["status"] == "undone"


def test_changes_the_next_list_and_settles_nothing_in_the_log(house: House, ada: Caller) -> None:
    before = ada.send("GET", "/api/v1/movies/recommendations?n=5").json()["recommendations"]
    shown = before[0]
    rows = [f"2026-01-02,{film.title},{film.year},,5" for film in house.horror[:6]]
    made = sent(ada, ratings(f"2026-01-02,{shown['title']},1980,,5", *rows))
    ada.send("POST", f"{PATH}/{made['id']}/apply", {"rule": "newer"})
    event = RecommendationEvent.objects.get(pk=shown["event_id"])
    assert (event.rated, event.outcome) == (False, "pending")
    after = ada.send("GET", "/api/v1/movies/recommendations?n=5").json()["recommendations"]
    assert {slot["movie_id"] for slot in after} <= {film.pk for film in house.horror[6:]}
    assert after[0]["reason"]["kind"] == "because_you_liked"


def test_a_guest_imports_before_anything_else(heat: Movie) -> None:
    visitor = guest()
    made = sent(visitor, ratings("2026-01-02,Heat,1995,,4.5"))
    applied = visitor.send("POST", f"{PATH}/{made['id']}/apply", {"rule": "newer"})
    assert applied.json()["applied"]["added"] == 1
    assert Rating.objects.get().user.is_guest
    assert visitor.send("GET", PATH).json()["count"] == 1


def test_gives_the_rows_that_were_not_found_as_csv(ada: Caller) -> None:
    made = sent(ada, ratings("2026-01-02,=cmd|calc,1995,,4.5"))
    response = ada.send("GET", f"{PATH}/{made['id']}/unmatched")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="unmatched.csv"'
    [row] = csv.DictReader(io.StringIO(response.content.decode()))
    assert (row["title"], row["why"]) == ("'=cmd|calc", "no film of this title and year")


def test_lists_ones_own_latest_first_in_as_many_queries_for_any_number(ada: Caller) -> None:
    counts = []
    for size in (2, 9):
        while Import.objects.of(ada.user.pk).count() < size:
            made = preview_file(ratings("2026-01-02,Gone,1995,,4.5"), user=ada.user)
            Import.objects.filter(pk=made.pk).update(
                status="applied", rule="mine", applied_at=made.created_at
            )
        preview_file(ratings("2026-01-02,Gone,1995,,4.5"))
        with CaptureQueriesContext(connection) as queries:
            listed = ada.send("GET", PATH).json()
        counts.append(len(queries))
        ids = [one["id"] for one in listed["results"]]
        assert (listed["count"], ids) == (size, sorted(ids, reverse=True))
    assert counts[0] == counts[1]


def test_shows_an_import_in_as_many_queries_for_any_number_of_rows(ada: Caller) -> None:
    counts = []
    for size in (2, 60):
        films = [make_movie(f"Film {size} {number}", year=1995) for number in range(size)]
        made = preview_file(ratings(*(f"2026-01-02,{film.title},1995,,4" for film in films)), user=ada.user)
        with CaptureQueriesContext(connection) as queries:
            shown = ada.send("GET", f"{PATH}/{made.pk}").json()
        counts.append(len(queries))
        assert len(shown["rows"]["new"]) == min(size, 10)
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("method", "part"), [("GET", ""), ("POST", "/apply"), ("POST", "/undo"), ("GET", "/unmatched")]
)
def test_what_belongs_to_others_is_not_there(ada: Caller, method: str, part: str) -> None:
    made = preview_file(ratings("2026-01-02,Heat,1995,,4.5"), user=make_user())
    body = {"rule": "newer"} if part == "/apply" else None
    for caller in (ada, guest(), Caller({}, user=User(pk=0))):
        problem = assert_problem(caller.send(method, f"{PATH}/{made.pk}{part}", body), 404, "not-found")
        assert problem["detail"] == f"There is no import {made.pk} of yours"


def test_a_key_has_nothing_of_its_own_to_import() -> None:
    key = make_api_key("act_for_users")[1]
    caller = Caller({"Authorization": f"Api-Key {key}"}, user=make_user())
    problem = assert_problem(caller.send_file(PATH, "ratings.csv", ratings()), 403)
    assert problem["detail"] == "An API key is no person: there is nothing of its own here"


# --- Refusals ------------------------------------------------------------------------------------


def test_says_where_a_file_is_wrong(ada: Caller) -> None:
    response = ada.send_file(PATH, "ratings.csv", ratings("2026-01-02,Heat,1995,,9"))
    problem = assert_problem(response, 400, "invalid-input")
    assert problem["detail"] == "ratings.csv, line 2: expected rating from 0.5 to 5 by halves, but found '9'"
    assert not Import.objects.exists()


def test_a_file_name_is_a_name_and_nothing_else(ada: Caller) -> None:
    made = sent(ada, ratings("2026-01-02,Heat,1995,,4"), "../../etc/pass\u202ewd<b>.csv")
    assert made["file_name"] == "passwd<b>.csv"


def test_refuses_what_is_no_form_with_a_file(ada: Caller) -> None:
    for body, content_type, status in (
        (b"{}", "application/json", 415),
        (b"file=a", "application/x-www-form-urlencoded", 415),
        (b"--x", "multipart/form-data", 400),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 400),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc\r\n--x--',
            "multipart/form-data; boundary=x",
            400,
        ),
    ):
        response = send(ada, "POST", PATH, body, content_type=content_type)
        assert_problem(response, status)
    response = ada.browser.post(PATH, {"user_id": 5}, headers=ada.headers)
    problem = assert_problem(response, 400, "invalid-input")
    assert [error["pointer"] for error in problem["errors"]] == ["/user_id", "/file"]
    assert assert_problem(ada.send_file(PATH, "a.csv", b""), 400)["detail"] == "The submitted file is empty."


def test_refuses_a_file_over_5_mb_and_reads_no_body_far_over_it(ada: Caller) -> None:
    problem = assert_problem(ada.send_file(PATH, "a.csv", b"x" * (5 * 2**20 + 1)), 413, "too-large")
    assert problem["detail"] == "A file has at most 5 MB, and this one has more"
    problem = assert_problem(ada.send_file(PATH, "a.csv", b"x" * 7 * 2**20), 413, "too-large")
    assert problem["detail"] == "A body with a file has at most 6,291,456 bytes"
    assert_problem(guest().send_file(PATH, "a.csv", b"x" * 7 * 2**20), 413, "too-large")


def test_refuses_a_rule_that_is_none_and_parameters_that_are_none(ada: Caller) -> None:
    made = sent(ada, ratings("2026-01-02,Heat,1995,,4"))
    path = f"{PATH}/{made['id']}"
    for body in ({}, {"rule": "theirs"}, {"rule": None}, {"rule": "mine", "user_id": 1}):
        assert_problem(ada.send("POST", f"{path}/apply", body), 400, "invalid-input")
    assert_problem(ada.send("POST", f"{path}/undo", {"all": True}), 400, "invalid-input")
    for address in (path, f"{path}/unmatched", PATH):
        assert_problem(ada.send("GET", f"{address}?user_id=1"), 400, "invalid-input")
    problem = assert_problem(ada.send("POST", f"{path}/undo"), 409, "conflict")
    assert problem["detail"] == "This import was not applied: there is nothing to undo"


def test_refuses_too_many_files(ada: Caller, settings: Any) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"import": "1/h"}
    sent(ada, ratings("2026-01-02,Heat,1995,,4"))
    response = ada.send_file(PATH, "ratings.csv", ratings())
    problem = assert_problem(response, 429, "too-many-requests")
    assert problem["detail"].startswith("Too many files: try again in ")
    assert int(response.headers["Retry-After"]) > 60
