"""What is the viewer's own, in a real browser: the first ten films, their lists, undo, and the settings."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.accounts.models import User
from apps.ratings.models import Dismissal, Rating, Unseen
from tests.browser.acts import give, sign_up
from tests.factories import PASSWORD
from tests.house import House, make_house

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def house(transactional_db: None, nothing_kept: None) -> House:
    return make_house()


def rate_one(page: Page, house: House) -> None:
    page.goto("/about")
    page.goto(f"/film/{house.horror[0].pk}")
    give(page.locator("#own"), 4)
    expect(page.get_by_text("You gave it 4 stars")).to_be_visible()


def test_leads_a_newcomer_in_twelve_clicks_from_the_hero_to_a_list(page: Page) -> None:
    page.goto("/about")
    page.goto("/")
    page.get_by_role("link", name="Start with films you know").click()
    page.get_by_role("link", name="Horror").click()
    for number in range(1, 11):
        give(page.get_by_role("article").first, 4.5)
        if number < 10:
            expect(page.get_by_text(f"{number} rated, {10 - number} to go")).to_be_visible()
    expect(page.get_by_role("heading", name="For you")).to_be_visible()
    assert Rating.objects.filter(user__is_guest=True).count() == 10


def test_asks_about_another_film_where_one_was_not_seen(page: Page) -> None:
    page.goto("/about")
    page.goto("/welcome")
    title = page.get_by_role("article").first.get_by_role("heading").inner_text()
    page.get_by_role("button", name=f"Not seen: {title}").click()
    expect(page.get_by_role("article").first.get_by_role("heading")).not_to_have_text(title)
    assert Unseen.objects.get().movie.title == title


def test_asks_about_films_without_script(plain_page: Page) -> None:
    page = plain_page
    page.goto("/about")
    page.goto("/welcome?group=horror")
    for number in range(1, 11):
        card = page.get_by_role("article").first
        give(card, 4)
        card.get_by_role("button", name="Rate").click()
        if number < 10:
            expect(page.get_by_text(f"{number} rated, {10 - number} to go")).to_be_visible()
    expect(page.get_by_role("heading", name="For you")).to_be_visible()


def test_takes_a_dismissal_back_on_the_spot(page: Page) -> None:
    page.goto("/about")
    page.goto("/")
    shown = page.get_by_role("region", name="Popular").get_by_role("article")
    title = shown.first.get_by_role("heading").inner_text()
    page.get_by_role("button", name=f"Not for me: {title}").click()
    expect(page.get_by_text(f"{title} will not be recommended to you again.")).to_be_visible()
    assert title not in shown.get_by_role("heading").all_inner_texts()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text(f"{title} may be recommended to you again.")).to_be_visible()
    assert title in shown.get_by_role("heading").all_inner_texts()
    assert not Dismissal.objects.get().is_active


def test_takes_a_dismissal_back_without_script(plain_page: Page) -> None:
    page = plain_page
    page.goto("/about")
    page.goto("/")
    page.get_by_role("button", name="Not for me: ").first.click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("may be recommended to you again.")).to_be_visible()
    assert not Dismissal.objects.get().is_active


def test_takes_a_film_off_and_puts_it_back_by_keyboard(page: Page, house: House) -> None:
    rate_one(page, house)
    page.goto("/my-films")
    page.get_by_role("button", name="Remove: Fright 0").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Off this list")).to_be_visible()
    expect(page.get_by_role("link", name="Rated 0 films")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Fright 0")).to_be_focused()
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.get_by_role("link", name="Rated 1 film")).to_be_visible()
    assert Rating.objects.get(user__is_guest=True).value == 4


def test_changes_stars_on_the_list(page: Page, house: House) -> None:
    rate_one(page, house)
    page.goto("/my-films")
    give(page.get_by_role("listitem").filter(has_text="Fright 0"), 2.5)
    expect(page.get_by_text("You gave Fright 0 2.5 stars.")).to_be_visible()
    assert Rating.objects.get(user__is_guest=True).value == 2.5


GROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.mark.parametrize("device", ["light", "dark"])
def test_looks_as_was_chosen_whatever_the_device_says(page: Page, device: Any) -> None:
    page.emulate_media(color_scheme=device)
    page.goto("/settings")
    grounds = {}
    for name in ("As the device says", "Light", "Dark"):
        page.get_by_role("button", name=name).click()
        expect(page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
        grounds[name] = page.evaluate(GROUND)
    assert grounds["Light"] != grounds["Dark"]
    assert grounds["As the device says"] == grounds[device.capitalize()]


def test_ends_a_session_elsewhere(page: Page, chromium: Browser, live_server: LiveServer) -> None:
    sign_up(page)
    with chromium.new_context(base_url=live_server.url) as elsewhere:
        other = elsewhere.new_page()
        other.goto("/log-in")
        other.get_by_label("Username").fill("ada")
        other.get_by_label("Password").fill(PASSWORD)
        other.get_by_role("main").get_by_role("button", name="Log in").click()
        expect(other.get_by_role("button", name="Log out")).to_be_visible()
        page.goto("/settings/sessions")
        expect(page.get_by_text("Chrome on Linux")).to_have_count(2)
        page.get_by_role("button", name="End the session of").click()
        expect(page.get_by_text("That session has ended.")).to_be_visible()
        other.goto("/about")
        expect(other.get_by_role("link", name="Log in")).to_be_visible()


def test_takes_everything_along_and_leaves(page: Page, house: House) -> None:
    rate_one(page, house)
    page.goto("/settings/data")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the export").click()
    assert download.value.suggested_filename == "marquee-export.zip"
    page.get_by_role("link", name="Erase everything").click()
    page.get_by_label("Type erase to confirm").fill("erase")
    page.get_by_role("button", name="Erase everything").click()
    expect(page.get_by_role("heading", name="Everything is erased")).to_be_visible()
    assert not User.objects.filter(is_imported=False).exists()
