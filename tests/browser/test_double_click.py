"""One double click is one act: the second click neither says it again nor falls on what came instead."""

import pytest
from playwright.sync_api import Locator, Page, expect

from apps.events.models import Feedback, Kind
from apps.ratings.models import Dismissal, Favorite, Rating
from tests.browser.acts import give, point_of
from tests.house import House, make_house

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def house(transactional_db: None, nothing_kept: None) -> House:
    return make_house()


def click_twice(button: Locator, position: dict[str, float] | None = None) -> None:
    """With the second click where the first one was, and after what the first one changed."""
    box = button.bounding_box()
    assert box is not None
    at = position or {"x": box["width"] / 2, "y": box["height"] / 2}
    mouse, page = button.page.mouse, button.page
    mouse.move(box["x"] + at["x"], box["y"] + at["y"])
    with page.expect_response("**/feedback"):
        mouse.down()
        mouse.up()
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
    mouse.down(click_count=2)
    mouse.up(click_count=2)
    page.wait_for_load_state("networkidle")


def said(kind: Kind) -> int:
    return Feedback.objects.filter(kind=kind).count()


def assert_rated_once(house: House) -> None:
    film = house.horror[0]
    before = film.rating_count
    film.refresh_from_db()
    assert Rating.objects.get(user__is_guest=True).value == 4
    assert (said(Kind.RATE), film.rating_count) == (1, before + 1)


def test_rates_once_by_a_double_click_on_a_star(page: Page, house: House) -> None:
    page.goto("/about")
    page.goto(f"/film/{house.horror[0].pk}")
    own = page.locator("#own")
    own.get_by_role("slider").dblclick(position=point_of(own, 4))
    expect(page.get_by_text("You gave it 4 stars")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert_rated_once(house)


def test_rates_once_by_a_double_click_on_the_button(either_page: Page, house: House) -> None:
    page = either_page
    page.goto(f"/film/{house.horror[0].pk}")
    stars = page.get_by_role("slider")
    stars.focus()
    for _ in range(8):
        stars.press("ArrowRight")
    page.get_by_role("button", name="Rate").dblclick()
    expect(page.get_by_text("You gave it 4 stars")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert_rated_once(house)


def test_rates_once_by_a_form_that_came_twice(plain_page: Page, house: House) -> None:
    page = plain_page
    page.goto("/about")
    page.goto(f"/film/{house.horror[0].pk}")
    fields = page.locator("#own .stars").evaluate("(form) => Object.fromEntries(new FormData(form))")
    for _ in range(2):
        answer = page.request.post(
            f"/film/{house.horror[0].pk}/feedback", form={**fields, "kind": "rate", "value": "4"}
        )
        assert answer.ok
    page.reload()
    expect(page.get_by_text("You gave it 4 stars")).to_be_visible()
    assert_rated_once(house)


def test_rates_no_film_that_came_under_the_pointer(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 1600})  # all rows at once: nothing scrolls
    page.goto("/about")
    page.goto("/")
    give(page.get_by_role("region", name="Popular").get_by_role("article").first, 4.5)
    card = page.get_by_role("region", name="For you").get_by_role("article").first
    expect(card).to_be_visible()
    title = card.get_by_role("heading").inner_text()
    click_twice(card.get_by_role("slider"), point_of(card, 4.5))
    assert card.get_by_role("heading").inner_text() != title
    assert Rating.objects.filter(user__is_guest=True).count() == said(Kind.RATE) == 2


def test_sends_no_film_away_that_came_under_the_pointer(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 1600})
    page.goto("/about")
    page.goto("/")
    click_twice(page.get_by_role("button", name="Not for me: ").first)
    assert Dismissal.objects.count() == said(Kind.DISMISS) == 1


def test_leaves_a_button_on_that_was_clicked_twice(page: Page, house: House) -> None:
    page.goto("/about")
    page.goto(f"/film/{house.horror[0].pk}")
    button = page.get_by_role("button", name="Favourite")
    click_twice(button)
    expect(button).to_have_attribute("aria-pressed", "true")
    assert Favorite.objects.get().is_active
    assert (said(Kind.FAVORITE), said(Kind.UNFAVORITE)) == (1, 0)
