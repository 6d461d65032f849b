"""Ratings from elsewhere: sent, looked at, imported and undone, with script and without."""

import pytest
from playwright.sync_api import Page, expect

from apps.catalog.models import Movie
from apps.ratings.models import Rating
from tests.browser.acts import send_file
from tests.factories import make_movie
from tests.ratings.imports import files
from tests.ratings.imports.files import table

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def films(transactional_db: None, nothing_kept: None) -> list[Movie]:
    return [make_movie(f"Film {number}", year=1995) for number in range(3)]


def own() -> list[float | None]:
    return list(
        Rating.objects.filter(user__is_imported=False).order_by("movie").values_list("value", flat=True)
    )


def test_looks_at_a_file_imports_it_and_undoes_it(either_page: Page, films: list[Movie]) -> None:
    page = either_page
    rows = [
        f"2026-01-02,{film.title},{film.year},,{stars}" for film, stars in zip(films, (5, 4), strict=False)
    ]
    send_file(
        page,
        "ratings.csv",
        table(files.LETTERBOXD_RATINGS, *rows, "2026-01-02,A film that nobody has,1990,,1"),
    )
    expect(page.get_by_role("heading", name="What this file would change")).to_be_visible()
    expect(page.get_by_role("heading", name="Not found 1")).to_be_visible()
    assert own() == []
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("Your import is done: 2 added.")).to_be_visible()
    assert own() == [5.0, 4.0]
    page.get_by_role("button", name="Undo this import").click()
    expect(page.get_by_text("Your import is undone: 2 put back as before.")).to_be_visible()
    assert own() == []


def test_chooses_by_keyboard_what_counts(either_page: Page, films: list[Movie]) -> None:
    page, film = either_page, films[0]
    for stars in (2, 5):
        send_file(
            page,
            "ratings.csv",
            table(files.LETTERBOXD_RATINGS, f"2026-01-02,{film.title},{film.year},,{stars}"),
        )
        if stars == 5:
            page.get_by_role("radio", name="The newer one counts").focus()
            page.keyboard.press("ArrowDown")
            page.keyboard.press("ArrowDown")
            expect(page.get_by_role("radio", name="Take the file's")).to_be_checked()
        page.get_by_role("button", name="Import", exact=True).click()
        expect(page.get_by_text("Your import is done")).to_be_visible()
    assert own() == [5.0]


def test_an_export_imports_again_unchanged(either_page: Page, films: list[Movie]) -> None:
    page = either_page
    rows = [f"2026-01-02,{film.title},{film.year},,3.5" for film in films]
    send_file(page, "ratings.csv", table(files.LETTERBOXD_RATINGS, *rows))
    page.get_by_role("button", name="Import", exact=True).click()
    page.goto("/settings/data")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the export").click()
    send_file(page, "marquee-export.zip", download.value.path().read_bytes())
    expect(page.get_by_role("heading", name="There is nothing to import")).to_be_visible()
    expect(page.get_by_role("heading", name="The same already 3")).to_be_visible()
