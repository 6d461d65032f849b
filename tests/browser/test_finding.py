"""Finding films in a real browser: by typing, by filters, and back again."""

import pytest
from playwright.sync_api import Page, expect

from apps.ratings.models import Rating
from tests.house import House, make_house

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def house(transactional_db: None, nothing_kept: None) -> House:
    return make_house()


def test_suggests_titles_while_one_types_and_opens_one_by_keyboard(page: Page) -> None:
    page.goto("/about")
    page.get_by_role("searchbox", name="Search films").press_sequentially("fri", delay=20)
    titles = page.locator(".suggestions__link")
    expect(titles).to_have_count(9)
    page.keyboard.press("ArrowDown")
    expect(titles.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Fright")


def test_puts_the_titles_away(page: Page) -> None:
    page.goto("/about")
    field = page.get_by_role("searchbox")
    field.press_sequentially("fri", delay=20)
    expect(page.locator(".suggestions__link").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".suggestions__link")).to_have_count(0)
    expect(field).to_be_focused()
    expect(field).to_have_value("fri")
    page.keyboard.press("Enter")
    expect(page).to_have_url("/search?q=fri")


def test_searches_without_script(plain_page: Page) -> None:
    plain_page.goto("/")
    plain_page.get_by_role("searchbox").fill("fright 1")
    plain_page.get_by_role("button", name="Search").click()
    expect(plain_page.get_by_role("heading", level=1)).to_have_text("Films found for “fright 1”")


def test_filters_and_goes_back(either_page: Page) -> None:
    page, shown = either_page, either_page.get_by_role("article").get_by_role("heading")
    page.get_by_role("link", name="Browse").click()
    expect(page.get_by_text("32 films", exact=True)).to_be_visible()
    page.get_by_role("link", name="Horror").click()
    page.get_by_role("link", name="A to Z").click()
    expect(page.get_by_text("16 films", exact=True)).to_be_visible()
    titles = shown.all_inner_texts()
    assert titles == sorted(titles)
    page.get_by_text("More filters").click()
    page.get_by_label("From year").fill("1985")
    page.get_by_role("button", name="Show films").click()
    expect(page.get_by_text("No film is all of that")).to_be_visible()
    page.get_by_role("link", name="without “from 1985”").click()
    expect(page).to_have_url("/browse?genre=Horror&ordering=title")
    shown.first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(titles[0])
    page.go_back()
    expect(page).to_have_url("/browse?genre=Horror&ordering=title")
    assert shown.all_inner_texts() == titles
    page.go_back()
    expect(page.get_by_text("No film is all of that")).to_be_visible()
    expect(page.get_by_label("From year")).to_have_value("1985")
    for _ in range(3):
        page.go_back()
    expect(page.get_by_text("32 films", exact=True)).to_be_visible()


def test_rates_a_film_where_it_stands(page: Page, house: House) -> None:
    page.goto("/about")
    page.goto("/browse?genre=Comedy")
    card = page.locator(f"#card-{house.comedy[3].pk}")
    card.get_by_role("slider").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You gave Laugh 3 5 stars.")).to_be_visible()
    expect(card.get_by_role("slider")).to_have_js_property("value", "5")
    assert Rating.objects.get(user__is_guest=True).value == 5
