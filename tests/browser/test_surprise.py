"""Hidden gems and surprises in a browser, with script and without."""

import re

import pytest
from playwright.sync_api import Page, expect

from apps.catalog.models import Movie
from apps.ratings.models import Dismissal, Rating
from tests.browser.acts import give
from tests.house import House, make_house

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def house(transactional_db: None, nothing_kept: None) -> House:
    house = make_house()
    Movie.objects.filter(pk__in=[film.pk for film in house.comedy[10:]]).update(is_long_tail=True)
    return house


def titles(page: Page) -> list[str]:
    films = page.get_by_role("main").get_by_role("article")
    expect(films.first).to_be_visible()
    return films.get_by_role("heading", level=3).all_inner_texts()


def test_gems_change_with_each_act_where_they_stand(either_page: Page) -> None:
    page = either_page
    page.get_by_role("navigation", name="Films").get_by_role("link", name="Hidden gems").click()
    first, second, *_ = titles(page)
    give(page.get_by_role("article").filter(has_text=first), 4)
    expect(page.get_by_text(f"You gave {first} 4 stars.")).to_be_visible()
    page.get_by_role("button", name=f"Not for me: {second}").click()
    expect(page.get_by_text(f"{second} will not be recommended")).to_be_visible()
    expect(page).to_have_url(re.compile("/gems$"))
    assert not {first, second} & set(titles(page))
    own = Rating.objects.filter(user__is_guest=True)
    assert (own.count(), Dismissal.objects.count()) == (1, 1)


def test_surprises_come_again_and_again_by_keyboard(either_page: Page, house: House) -> None:
    page = either_page
    page.goto("/surprise")
    page.get_by_role("link", name="Rate films you know").press("Enter")
    expect(page).to_have_url(re.compile("/welcome$"))
    page.goto(f"/film/{house.horror[0].pk}")
    give(page.locator("#own"), 5)
    expect(page.get_by_text("You gave it 5 stars")).to_be_visible()
    page.get_by_role("link", name="Surprise me").press("Enter")
    first = titles(page)
    page.get_by_role("link", name="Surprise me again").press("Enter")
    expect(page).to_have_url(re.compile("after="))
    assert not set(first) & set(titles(page))
    page.go_back()
    assert titles(page) == first
