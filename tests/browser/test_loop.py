"""The loop in a real browser: rate, and the next list is another one. With script, by keyboard, without."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Locator, Page, expect

from apps.ratings.models import Rating
from tests.browser.acts import give, point_of, sign_up
from tests.house import House, make_house

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def house(transactional_db: None, nothing_kept: None) -> House:
    return make_house()


def row(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title).get_by_role("article")


def titles(cards: Locator) -> list[str]:
    return cards.get_by_role("heading").all_inner_texts()


def test_changes_the_list_with_every_rating(page: Page) -> None:
    sign_up(page)
    page.get_by_role("link", name="Skip for now").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rate five films. Watch your list appear.")
    seen: list[list[str]] = []
    for number in range(1, 6):
        card = row(page, "Popular").first
        rated = titles(card)[0]
        give(card, 4.5)
        expect(page.get_by_text(f"You gave {rated} 4.5 stars.")).to_be_visible()
        expect(row(page, "For you").first).to_be_visible()
        assert rated not in titles(row(page, "For you")) + titles(row(page, "Popular"))
        seen.append(titles(row(page, "For you")))
        assert Rating.objects.filter(user__username="ada").count() == number
    assert all(before != after for before, after in pairwise(seen))
    liked = set(Rating.objects.filter(user__username="ada").values_list("movie__title", flat=True))
    reasons = row(page, "For you").locator(".card__reason").all_inner_texts()
    assert {reason.removeprefix("Because you liked ") for reason in reasons} <= liked


def test_lights_no_star_of_a_film_that_moved_under_a_resting_pointer(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 1600})  # all rows at once: nothing scrolls
    page.goto("/about")
    page.goto("/")
    give(row(page, "Popular").first, 4.5)
    card = row(page, "For you").first
    for _ in range(2):
        expect(card).to_be_visible()
        rated = titles(card)[0]
        give(card, 4.5)
        expect(page.get_by_text(f"You gave {rated} 4.5 stars.")).to_be_visible()
        assert titles(card)[0] != rated
    stars = card.get_by_role("slider")
    expect(card.locator(".stars__range:hover")).to_have_count(1)
    expect(stars).not_to_have_attribute("data-under", re.compile("."))
    for value in (4.5, 0.5, 5):
        stars.hover(position=point_of(card, value))
        expect(stars).to_have_attribute("data-under", f"{value:g}")
    expect(stars).to_have_js_property("value", "0")


def test_rates_by_keyboard(page: Page, house: House) -> None:
    page.goto("/about")
    page.goto(f"/film/{house.horror[0].pk}")
    stars = page.get_by_role("slider", name="Your rating of Fright 0")
    stars.focus()
    expect(stars).to_have_attribute("aria-valuetext", "no stars yet")
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    expect(stars).to_have_attribute("aria-valuetext", "3½ stars")
    assert not Rating.objects.filter(user__is_guest=True).exists()
    page.keyboard.press("Enter")
    expect(page.get_by_text("You gave it 3.5 stars")).to_be_visible()
    assert Rating.objects.get(user__is_guest=True).value == 3.5
    expect(stars).to_be_focused()
    expect(stars).to_have_js_property("value", "3.5")


def test_keeps_the_keyboard_near_the_rows(page: Page) -> None:
    page.goto("/about")
    page.goto("/")
    row(page, "Popular").first.get_by_role("slider").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(row(page, "For you").first).to_be_visible()
    expect(page.locator("#rows")).to_be_focused()


def test_rates_without_script(plain_page: Page) -> None:
    page = plain_page
    page.goto("/")
    page.goto("/")
    card = row(page, "Popular").first
    rated = titles(card)[0]
    give(card, 5)
    expect(page.get_by_text(f"You gave {rated} 5 stars.")).to_be_visible()
    assert rated not in titles(row(page, "For you"))


def test_keeps_the_keyboard_on_the_button_that_was_pressed(page: Page, house: House) -> None:
    page.goto("/about")
    page.goto(f"/film/{house.horror[0].pk}")
    button = page.get_by_role("button", name="Favourite")
    for pressed in ("true", "false"):
        button.click()
        expect(button).to_have_attribute("aria-pressed", pressed)
        expect(button).to_be_focused()


def test_gives_the_half_star_that_is_pressed(page: Page, house: House) -> None:
    page.goto("/about")
    page.goto(f"/film/{house.horror[0].pk}")
    for stars in (0.5, 1, 2.5, 3, 5):
        give(page.locator("#own"), stars)
        expect(page.locator("#own").get_by_text(f"You gave it {stars:g} star")).to_be_visible()
        assert Rating.objects.get(user__is_guest=True).value == stars
