"""Every public page in both themes, on a phone and on a desk: it fits, and axe finds nothing."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.catalog.models import Movie
from tests.browser.acts import give, log_in, send_file
from tests.browser.conftest import SLOWEST_MS
from tests.factories import make_movie, make_user
from tests.house import House, make_house
from tests.ratings.imports import files
from tests.ratings.imports.files import table

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SCHEMES: tuple[Any, ...] = ("light", "dark")
WIDTHS = (360, 1280)
LISTS = [f"/my-films{slug}" for slug in ("", "/favourites", "/watchlist", "/thumbs", "/not-for-me")]
# The body is Swagger UI's own: its colours and headings are not this site's to mend.
NOT_OURS = "#swagger-ui"
# What the rules would fetch again is there already, and what was found right is not looked at.
AXE = """async ([exclude]) => {
  const found = await axe.run({ exclude }, { preload: false, resultTypes: ["violations"] });
  const words = (rule, node) => `${rule.id}: ${node.html} ${node.failureSummary}`;
  return found.violations.flatMap((rule) => rule.nodes.map((node) => words(rule, node)));
}"""


@pytest.fixture(autouse=True)
def house(transactional_db: None, nothing_kept: None) -> House:
    return make_house()


@pytest.fixture
def page(chromium: Browser, live_server: LiveServer) -> Iterator[Page]:
    """With nothing in motion; and nobody listens for complaints, as a page that is not there answers 404."""
    with chromium.new_context(base_url=live_server.url, reduced_motion="reduce") as context:
        page = context.new_page()
        page.set_default_timeout(SLOWEST_MS)
        page.goto("/about")
        yield page


def faults_of(page: Page) -> list[str]:
    """What axe found, and what is wider than the screen; each with the rule and the place."""
    page.evaluate(AXE_SCRIPT)
    faults = []
    for scheme, width in product(SCHEMES, WIDTHS):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        found = page.evaluate(AXE, [[NOT_OURS]])
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append("wider than the screen")
        faults += [f"{page.url} at {width} px, {scheme}: {fault}" for fault in found]
    return faults


def faults_at(page: Page, *paths: str) -> list[str]:
    faults = []
    for path in paths:
        page.goto(path)
        faults += faults_of(page)
    return faults


def say_everything(page: Page, house: House) -> None:
    """One film on each list."""
    page.goto(f"/film/{house.horror[0].pk}")
    give(page.locator("#own"), 4)
    for name in ("Favourite", "Watchlist", "Thumb up"):
        button = page.get_by_role("button", name=name)
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
    page.goto("/")
    page.get_by_role("button", name="Not for me: ").first.click()
    expect(page.get_by_text("will not be recommended to you again.")).to_be_visible()


def test_finds_what_keeps_people_out(page: Page) -> None:
    page.locator("h1").evaluate("(title) => Object.assign(title.style, {color: '#1d1611', width: '400px'})")
    places = [fault.partition(" at ")[2].split(": ")[:2] for fault in faults_of(page)]
    assert places == [
        ["360 px, light", "wider than the screen"],
        ["360 px, dark", "color-contrast"],
        ["360 px, dark", "wider than the screen"],
        ["1280 px, dark", "color-contrast"],
    ]


def test_is_fit_for_a_newcomer(page: Page, house: House) -> None:
    film = f"/film/{house.horror[0].pk}"
    faults = faults_at(page, "/", film, "/welcome", "/welcome?group=horror", *LISTS, "/settings")
    faults += faults_at(page, "/gems", "/surprise", "/surprise?after=x")
    faults += faults_at(
        page, "/settings/data", "/settings/erase", "/settings/import", "/about", "/no-such-page"
    )
    assert faults == []


def test_is_fit_to_find_films(page: Page) -> None:
    for number in range(12):
        make_movie(genres=[f"A genre with a name {number}"])
    faults = faults_at(page, "/search?q=fright", "/search?q=nothing+is+called+so", "/browse?genre=War")
    page.goto("/browse?genre=Horror&exclude_genre=Comedy&year_min=1950")
    page.get_by_text("More filters").click()
    faults += faults_of(page)
    page.get_by_role("searchbox", name="Search films").press_sequentially("fri")
    expect(page.locator(".suggestions__link").first).to_be_visible()
    faults += faults_of(page)
    assert faults == []


def test_is_fit_to_come_in(page: Page) -> None:
    user = make_user("ada")
    uid, token = urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)
    faults = faults_at(page, "/password/reset/", "/password/reset/sent/", f"/password/reset/{uid}/{token}/")
    for path, button in (("/sign-up", "Sign up"), ("/log-in", "Log in")):
        faults += faults_at(page, path)
        page.get_by_role("main").get_by_role("button", name=button).click()
        expect(page.get_by_text("This field is required.").first).to_be_visible()
        faults += faults_of(page)
    assert faults == []


def test_is_fit_for_gems_and_surprises(page: Page, house: House) -> None:
    Movie.objects.filter(pk__in=[film.pk for film in house.comedy]).update(is_long_tail=True)
    faults = faults_at(page, "/gems")
    say_everything(page, house)
    faults += faults_at(page, "/", "/gems", "/surprise")
    page.get_by_role("link", name="Surprise me again").click()
    expect(page).to_have_url(re.compile("after="))
    page.get_by_role("button", name="Not for me: ").first.click()
    expect(page.get_by_text("will not be recommended to you again.")).to_be_visible()
    faults += faults_of(page)
    assert faults == []


def test_is_fit_for_a_guest_who_said_something(page: Page, house: House) -> None:
    say_everything(page, house)
    faults = faults_of(page)  # the rows, with the message over them
    faults += faults_at(page, f"/film/{house.horror[0].pk}", *LISTS, "/welcome")
    faults += faults_at(page, "/settings/data", "/settings/erase")
    assert faults == []


def test_is_fit_for_an_import(page: Page, house: House) -> None:
    say_everything(page, house)
    film, other = house.horror[:2]
    rows = [
        f"2020-01-02,{film.title},{film.year},,2",
        f"2020-01-02,{other.title},{other.year},,2",
        "2026-01-02,A film that nobody has,1990,,1",
    ]
    send_file(page, "ratings.csv", table(files.LETTERBOXD_RATINGS, *rows))
    expect(page.get_by_role("heading", name="Where you and the file differ")).to_be_visible()
    faults = faults_of(page)
    for button in ("Import", "Undo this import"):
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.get_by_text("Your import is ")).to_be_visible()
        faults += faults_of(page)
    faults += faults_at(page, "/settings/import")
    assert faults == []


def test_is_fit_for_an_account(page: Page, house: House) -> None:
    make_user("ada", is_staff=True)
    log_in(page)
    say_everything(page, house)
    settings = [f"/settings{tab}" for tab in ("", "/password", "/sessions", "/data", "/erase")]
    assert faults_at(page, "/", "/my-films", "/welcome", *settings) == []


def test_frames_the_document_of_the_api(page: Page) -> None:
    page.goto("/api/docs")
    expect(page.get_by_role("heading", name="feedback")).to_be_visible()
    assert faults_of(page) == []
