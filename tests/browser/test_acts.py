"""All that can be said of a film, with script and without: on its own page and in the viewer's lists."""

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from apps.catalog.models import Movie
from apps.ratings.models import Dismissal, Favorite, Rating, Thumb, WatchlistItem
from tests.browser.acts import give
from tests.factories import make_movie
from tests.processes import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def film(transactional_db: None, nothing_kept: None) -> Movie:
    return make_movie("Ringu", year=1998, genres=["Horror"])


@pytest.fixture
def film_page(either_page: Page, film: Movie) -> Page:
    either_page.goto(f"/film/{film.pk}")
    return either_page


def test_gives_changes_and_takes_back_stars(film_page: Page) -> None:
    page, own = film_page, film_page.locator("#own")
    for stars in (4, 1.5):
        give(own, stars)
        expect(own.get_by_text(f"You gave it {stars:g} stars")).to_be_visible()
        assert Rating.objects.get().value == stars
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("Seen it? Give it stars")).to_be_visible()
    assert Rating.objects.get().value is None
    page.get_by_role("button", name="Undo").click()
    expect(own.get_by_text("You gave it 1.5 stars")).to_be_visible()
    assert Rating.objects.get().value == 1.5


def rate_unanswered(page: Page, stars: float) -> list[Route]:
    """The acts that leave the page, of which the first, these stars, waits to be let go."""
    sent: list[Route] = []

    def send_all_but_the_first(route: Route) -> None:
        sent.append(route)
        if len(sent) > 1:
            route.continue_()

    page.route("**/feedback", send_all_but_the_first)
    give(page.locator("#own"), stars)
    while not sent:
        page.wait_for_timeout(10)
    return sent


def acts_on_their_way(page: Page, *buttons: str) -> list[Route]:
    """The same of four stars, and of clicks after them."""
    sent = rate_unanswered(page, 4)
    for button in buttons:
        page.get_by_role("button", name=button).click()
    return sent


def test_sends_what_is_clicked_meanwhile_when_the_answer_is_there(page: Page, film: Movie) -> None:
    page.goto(f"/film/{film.pk}")
    sent = acts_on_their_way(page, "Favourite", "Watchlist")
    assert [route.request.post_data_json["kind"] for route in sent] == ["rate"]
    sent[0].continue_()
    for name in ("Favourite", "Watchlist"):
        expect(page.get_by_role("button", name=name, pressed=True)).to_be_visible()
    expect(page.get_by_text("You gave it 4 stars")).to_be_visible()
    assert (Rating.objects.get().value, Favorite.objects.count(), WatchlistItem.objects.count()) == (4, 1, 1)


def test_sends_without_leaving_the_page_what_is_clicked_as_an_answer_appears(page: Page, film: Movie) -> None:
    page.goto(f"/film/{film.pk}")
    page.evaluate(
        """document.addEventListener("htmx:afterSwap", () => {
          setTimeout(() => document.getElementById("own-favourite").click());
        }, { once: true })"""
    )
    with page.expect_request(lambda request: "kind=favorite" in (request.post_data or "")) as sent:
        give(page.locator("#own"), 4)
    assert sent.value.resource_type == "xhr"
    expect(page.get_by_role("button", name="Favourite", pressed=True)).to_be_visible()


def test_goes_on_after_an_act_that_did_not_arrive(
    chromium: Browser, live_server: LiveServer, film: Movie
) -> None:
    with chromium.new_context(base_url=live_server.url) as context:
        page = context.new_page()
        page.goto(f"/film/{film.pk}")
        sent = acts_on_their_way(page, "Favourite")
        sent[0].abort()
        expect(page.get_by_role("button", name="Favourite", pressed=True)).to_be_visible()
    assert not Rating.objects.exists()


@pytest.mark.parametrize("answer", ["none", "500"])
def test_says_that_an_act_did_not_arrive_until_one_does(
    chromium: Browser, live_server: LiveServer, film: Movie, answer: str
) -> None:
    with chromium.new_context(base_url=live_server.url) as context:
        page = context.new_page()
        page.goto(f"/film/{film.pk}")
        sent = rate_unanswered(page, 4)
        sent[0].abort() if answer == "none" else sent[0].fulfill(status=500)
        refusal = page.get_by_role("alert")
        expect(refusal).to_have_text("That did not arrive. Reload the page and try again.")
        give(page.locator("#own"), 3)
        expect(page.get_by_text("You gave it 3 stars")).to_be_visible()
        expect(refusal).to_be_hidden()


def test_what_was_clicked_last_holds_though_it_was_clicked_before(page: Page, film: Movie) -> None:
    page.goto(f"/film/{film.pk}")
    sent = rate_unanswered(page, 5)
    for stars in (2, 5):
        give(page.locator("#own"), stars)
    with page.expect_response(lambda response: "value=5" in (response.request.post_data or "")) as first:
        sent[0].continue_()
    assert first.value.ok
    expect(page.locator(".htmx-request")).to_have_count(0)
    expect(page.get_by_text("You gave it 5 stars")).to_be_visible()
    assert Rating.objects.get().value == 5


def test_what_waits_goes_along_when_the_page_is_left(page: Page, film: Movie) -> None:
    page.goto(f"/film/{film.pk}")
    sent = acts_on_their_way(page, "Favourite")
    assert len(sent) == 1
    page.goto("/about")
    wait_until(Favorite.objects.exists, "the favourite")


@pytest.mark.parametrize(
    ("name", "model", "slug", "take_off"),
    [
        ("Favourite", Favorite, "favourites", "Remove"),
        ("Watchlist", WatchlistItem, "watchlist", "Remove"),
        ("Not for me", Dismissal, "not-for-me", "Restore"),
    ],
)
def test_puts_a_film_on_a_list_and_takes_it_off(
    film_page: Page, name: str, model: type[Favorite], slug: str, take_off: str
) -> None:
    page = film_page
    for is_on in (True, False, True):
        page.get_by_role("button", name=name, pressed=not is_on).click()
        expect(page.get_by_role("button", name=name, pressed=is_on)).to_be_visible()
        assert model.objects.get().is_active is is_on
    page.goto(f"/my-films/{slug}")
    page.get_by_role("button", name=f"{take_off}: Ringu").click()
    expect(page.get_by_role("button", name=f"{take_off}: Ringu")).to_have_count(0)
    assert not model.objects.get().is_active
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name=f"{take_off}: Ringu")).to_be_visible()
    assert model.objects.get().is_active


def test_turns_a_thumb_up_down_and_off(film_page: Page) -> None:
    page = film_page
    for name, direction in (("Thumb up", 1), ("Thumb down", -1), ("Thumb down", 0)):
        page.get_by_role("button", name=name, pressed=not direction).click()
        expect(page.get_by_role("button", name=name, pressed=bool(direction))).to_be_visible()
        assert Thumb.objects.get().direction == direction
    expect(page.get_by_role("button", name="Thumb up", pressed=False)).to_be_visible()


def test_changes_stars_on_the_list(film_page: Page) -> None:
    page = film_page
    give(page.locator("#own"), 4)
    expect(page.get_by_text("You gave it 4 stars")).to_be_visible()
    page.goto("/my-films")
    give(page.get_by_role("listitem").filter(has_text="Ringu"), 2.5)
    expect(page.get_by_text("You gave Ringu 2.5 stars.")).to_be_visible()
    assert Rating.objects.get().value == 2.5


def test_takes_a_film_off_and_puts_it_back_by_keyboard(page: Page, film: Movie) -> None:
    page.goto("/about")
    page.goto(f"/film/{film.pk}")
    give(page.locator("#own"), 4)
    expect(page.get_by_text("You gave it 4 stars")).to_be_visible()
    page.goto("/my-films")
    page.get_by_role("button", name="Remove: Ringu").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Off this list")).to_be_visible()
    expect(page.get_by_role("link", name="Rated 0 films")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Ringu")).to_be_focused()
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.get_by_role("link", name="Rated 1 film")).to_be_visible()
    assert Rating.objects.get().value == 4
