"""Importing by the site's own pages, with forms alone."""

import csv
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.ratings.models import Import, Rating
from tests.factories import make_movie, make_rating, make_user, preview_file
from tests.ratings.imports import files
from tests.ratings.imports.files import table

pytestmark = pytest.mark.django_db

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def heat() -> Movie:
    return make_movie("Heat", year=1995)


@pytest.fixture
def ada(client: Client) -> User:
    user = make_user("ada")
    client.force_login(user)
    return user


def upload(client: Client, *rows: str, name: str = "ratings.csv", data: bytes | None = None) -> HttpResponse:
    data = table(files.LETTERBOXD_RATINGS, *rows) if data is None else data
    return client.post("/settings/import", {"file": SimpleUploadedFile(name, data)}, follow=True)


def text_of(response: HttpResponse) -> str:
    """What the page says, without its markup."""
    body = response.content.decode().split("<main", 1)[1]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def path_of(one: Import | None = None) -> str:
    return f"/settings/import/{(one or Import.objects.latest('pk')).pk}"


def test_says_where_each_site_has_its_export_and_what_becomes_of_its_points(client: Client) -> None:
    page = text_of(client.get("/settings/import"))
    for site in ("Letterboxd", "IMDb", "Trakt", "MovieLens", "Marquee"):
        assert site in page
    assert page.count("IMDb has points from 1 to 10: two points are one star, so 7 becomes 3½ stars.") == 1
    assert "Your imports" not in page


def test_looks_before_it_changes_anything(client: Client, ada: User, heat: Movie) -> None:
    make_rating(ada, make_movie("Seven", year=1995), 2.0)
    rows = (
        "2026-01-02,Heat,1995,,4.5",
        "2026-01-02,Seven,1995,,5",
        "2026-01-02,Gone,1990,,1",
        "2026-01-02,Cats,2019,,",
    )
    page = text_of(upload(client, *rows))
    assert "What this file would change" in page
    for words in (
        "1 new 1 different from yours 0 the same already 1 not found",
        "Left out: 1 without a rating.",
        "The newer one counts 1 stays as it is",
        "Keep mine 1 stays as it is",
        "Take the file&#x27;s 1 of yours changes",
        "Seven 1995 5 stars yours: 2 stars",
        "Gone 1990 1 star line 4: no film of this title and year",
    ):
        assert words in page, words
    assert Rating.objects.count() == 1


def test_imports_by_the_chosen_rule_and_undoes_it(client: Client, ada: User, heat: Movie) -> None:
    make_rating(ada, heat, 2.0)
    upload(client, "2020-01-02,Heat,1995,,4.5")
    page = client.post(f"{path_of()}/apply", {"rule": "file"}, follow=True)
    assert "Your import is done: 1 changed." in page.content.decode()
    assert "Your ratings are here" in text_of(page)
    assert Rating.objects.get().value == 4.5
    page = client.post(f"{path_of()}/undo", follow=True)
    assert "Your import is undone: 1 put back as before." in page.content.decode()
    assert "This import is undone" in text_of(page)
    assert Rating.objects.get().value == 2.0
    assert "Undo this import" not in text_of(page)


def test_says_what_an_undoing_left_alone(client: Client, ada: User, heat: Movie) -> None:
    upload(client, "2020-01-02,Heat,1995,,4.5")
    client.post(f"{path_of()}/apply", {"rule": "newer"})
    make_rating(ada, heat, 1.0)
    page = client.post(f"{path_of()}/undo", follow=True).content.decode()
    assert "Your import is undone: 0 put back as before. 1 that you changed since stayed as now." in page


def test_asks_for_no_rule_where_nothing_differs(visitor: Client, heat: Movie) -> None:
    page = upload(visitor, "2020-01-02,Heat,1995,,4.5")
    assert "Nothing of yours is overwritten" in text_of(page)
    assert b'type="radio"' not in page.content
    assert b'<input type="hidden" name="rule" value="newer">' in page.content


def test_says_when_there_is_nothing_to_import(client: Client, ada: User, heat: Movie) -> None:
    page = text_of(upload(client, "2020-01-02,Gone,1995,,4.5"))
    assert "There is nothing to import No row of the file is about a film that we have." in page
    make_rating(ada, heat, 4.5)
    page = text_of(upload(client, "2020-01-02,Heat,1995,,4.5"))
    assert "There is nothing to import All that the file says, you have said already." in page


def test_says_beside_the_field_what_is_wrong_with_a_file(client: Client, ada: User, settings: Any) -> None:
    assert "Choose a file first." in text_of(client.post("/settings/import"))
    assert "The file is empty." in text_of(upload(client, data=b""))
    assert "line 2: expected rating from 0.5 to 5 by halves" in text_of(
        upload(client, "2026-01-02,Heat,1995,,9")
    )
    too_large = text_of(upload(client, data=b"x" * (5 * 2**20 + 1)))
    assert "A file has at most 5 MB, and this one has more" in too_large
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"import": "1/h"}
    assert "Too many files: try again in" in text_of(upload(client, "2026-01-02,Heat,1995,,4"))
    assert not Import.objects.exists()


def test_gives_the_rows_that_were_not_found_to_take_along(client: Client, ada: User) -> None:
    page = upload(client, "2026-01-02,=1+1,1995,,4.5")
    assert f'href="{path_of()}/unmatched.csv"'.encode() in page.content
    response = client.get(f"{path_of()}/unmatched.csv")
    assert response.headers["Content-Disposition"] == 'attachment; filename="unmatched.csv"'
    [row] = csv.DictReader(io.StringIO(response.content.decode()))
    assert row["title"] == "'=1+1"


def test_writes_what_a_file_holds_as_text(client: Client, ada: User) -> None:
    page = upload(client, f"2026-01-02,{HOSTILE},1995,,4.5", name=f"{HOSTILE}.csv").content
    assert HOSTILE.encode() not in page
    assert b"&lt;img src=x" in page
    refused = upload(client, data=f"{HOSTILE},b".encode(), name=f"{HOSTILE}.csv").content
    assert HOSTILE.encode() not in refused
    assert HOSTILE.encode() not in client.get("/settings/import").content


def test_shows_words_for_what_is_no_rating(client: Client, ada: User, heat: Movie) -> None:
    header = "movie_id,title,year,direction,changed_at"
    data = table(header, f"{heat.pk},Heat,1995,-1,2026-01-01T00:00:00Z")
    assert "Heat 1995 thumb down" in text_of(upload(client, data=data, name="thumbs.csv"))
    data = table("movie_id,title,year,value,changed_at", f"{heat.pk},Heat,1995,,2026-01-01T00:00:00Z")
    assert "Heat 1995 taken back" in text_of(upload(client, data=data))


def test_lists_past_imports_in_as_many_queries_for_any_number(client: Client, ada: User) -> None:
    counts = []
    for size in (2, 8):
        while Import.objects.count() < size:
            made = preview_file(table(files.LETTERBOXD_RATINGS, "2026-01-02,Gone,1995,,4"), user=ada)
            Import.objects.filter(pk=made.pk).update(
                status="applied", rule="mine", applied_at=made.created_at
            )
        with CaptureQueriesContext(connection) as queries:
            page = client.get("/settings/import").content.decode()
        counts.append(len(queries))
        assert page.count('class="import"') == size
    assert counts[0] == counts[1]


def test_shows_a_preview_in_as_many_queries_for_any_number_of_rows(client: Client, ada: User) -> None:
    counts = []
    for size in (2, 40):
        films = [make_movie(f"Film {size} {number}", year=1995) for number in range(size)]
        rows = (f"2026-01-02,{film.title},1995,,4" for film in films)
        made = preview_file(table(files.LETTERBOXD_RATINGS, *rows), user=ada)
        with CaptureQueriesContext(connection) as queries:
            client.get(path_of(made))
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("method", "part"), [("get", ""), ("post", "/apply"), ("post", "/undo"), ("get", "/unmatched.csv")]
)
def test_what_belongs_to_others_is_not_there(client: Client, ada: User, method: str, part: str) -> None:
    theirs = preview_file(table(files.LETTERBOXD_RATINGS, "2026-01-02,Heat,1995,,4"))
    response = getattr(client, method)(f"{path_of(theirs)}{part}", {"rule": "file"}, follow=True)
    assert response.redirect_chain == [("/settings/import", 302)]
    assert f"There is no import {theirs.pk} of yours" in response.content.decode()


def test_refuses_what_cannot_be_done_now(client: Client, ada: User, heat: Movie) -> None:
    upload(client, "2020-01-02,Heat,1995,,4.5")
    refused = client.post(f"{path_of()}/undo", follow=True).content.decode()
    assert "This import was not applied: there is nothing to undo" in refused
    refused = client.post(f"{path_of()}/apply", {"rule": "theirs"}, follow=True).content.decode()
    assert "Choose what counts where you and the file differ." in refused
    assert not Rating.objects.exists()


def test_the_settings_lead_here(client: Client) -> None:
    assert b'href="/settings/import"' in client.get("/settings/data").content


def test_a_double_click_imports_once(client: Client, ada: User, heat: Movie) -> None:
    upload(client, "2020-01-02,Heat,1995,,4.5")
    for _ in range(2):
        client.post(f"{path_of()}/apply", {"rule": "newer"})
    assert Import.objects.get().n_added == 1
    assert Movie.objects.get().rating_count == 1
