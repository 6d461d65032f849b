"""The loop in a real browser: rate, and the next list is another one. With script, by keyboard, without."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.experiments.policy import forget_policy
from apps.ratings.models import Rating
from apps.training import registry
from tests.factories import PASSWORD
from tests.house import House, make_house

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def house(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[House]:
    settings.ARTIFACT_DIR = tmp_path
    registry.reset()
    forget_policy()
    yield make_house()
    registry.reset()
    forget_policy()


@pytest.fixture
def plain_page(chromium: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A page of a browser that runs no script."""
    with chromium.new_context(base_url=live_server.url, java_script_enabled=False) as context:
        page = context.new_page()
        page.set_default_timeout(10_000)
        yield page


def row(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title).get_by_role("article")


def titles(cards: Locator) -> list[str]:
    return cards.get_by_role("heading").all_inner_texts()


def stars(card: Locator, label: str) -> Locator:
    return card.locator(f'label[title="{label}"]')


def sign_up(page: Page) -> None:
    page.goto("/sign-up")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("Welcome, ada.")).to_be_visible()


def test_changes_the_list_with_every_rating(page: Page) -> None:
    sign_up(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Rate five films. Watch your list appear.")
    seen: list[list[str]] = []
    for number in range(1, 6):
        card = row(page, "Popular").first
        rated = titles(card)[0]
        stars(card, "4½ stars").click()
        expect(page.get_by_text(f"You gave {rated} 4.5 stars.")).to_be_visible()
        expect(row(page, "For you").first).to_be_visible()
        assert rated not in titles(row(page, "For you")) + titles(row(page, "Popular"))
        seen.append(titles(row(page, "For you")))
        assert Rating.objects.filter(user__username="ada").count() == number
    assert all(before != after for before, after in pairwise(seen))
    liked = set(Rating.objects.filter(user__username="ada").values_list("movie__title", flat=True))
    reasons = row(page, "For you").locator(".card__reason").all_inner_texts()
    assert {reason.removeprefix("Because you liked ") for reason in reasons} <= liked


def test_rates_by_keyboard(page: Page, house: House) -> None:
    page.goto("/about")
    page.goto(f"/film/{house.horror[0].pk}")
    page.get_by_role("radio", name="3 stars").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    assert not Rating.objects.filter(user__is_guest=True).exists()
    page.keyboard.press("Enter")
    expect(page.get_by_text("You gave it 3.5 stars")).to_be_visible()
    assert Rating.objects.get(user__is_guest=True).value == 3.5
    expect(page.get_by_role("radio", name="3½ stars")).to_be_focused()


def test_keeps_the_keyboard_near_the_rows(page: Page) -> None:
    page.goto("/about")
    page.goto("/")
    row(page, "Popular").first.get_by_role("radio", name="4 stars", exact=True).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(row(page, "For you").first).to_be_visible()
    expect(page.locator("#rows")).to_be_focused()


def test_rates_without_script(plain_page: Page) -> None:
    page = plain_page
    page.goto("/")
    page.goto("/")
    card = row(page, "Popular").first
    rated = titles(card)[0]
    stars(card, "5 stars").click()
    card.get_by_role("button", name=f"Rate {rated}").click()
    expect(page.get_by_text(f"You gave {rated} 5 stars.")).to_be_visible()
    assert rated not in titles(row(page, "For you"))


def test_hides_a_film_that_is_not_for_the_viewer(page: Page) -> None:
    page.goto("/about")
    page.goto("/")
    card = row(page, "Popular").first
    hidden = titles(card)[0]
    card.get_by_role("button", name=f"Not for me: {hidden}").click()
    expect(page.get_by_text("will not be recommended to you again")).to_be_visible()
    assert hidden not in titles(row(page, "Popular"))


def test_turns_a_button_on_and_off(page: Page, house: House) -> None:
    page.goto("/about")
    page.goto(f"/film/{house.horror[0].pk}")
    button = page.get_by_role("button", name="Favourite")
    for pressed in ("true", "false"):
        button.click()
        expect(button).to_have_attribute("aria-pressed", pressed)
        expect(button).to_be_focused()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_the_screen(page: Page, house: House, width: int, scheme: Any) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    film = f"/film/{house.horror[0].pk}"
    for path in ("/about", "/", film, "/search?q=fright", "/ratings", "/sign-up", "/log-in", "/api/docs"):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
