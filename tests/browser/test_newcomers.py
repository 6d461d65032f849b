"""Somebody new in a real browser: the first ten films, and what is not for them."""

import time
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, expect

from apps.ratings.models import Dismissal, Rating, Unseen
from tests.browser.acts import give
from tests.factories import PASSWORD
from tests.house import House, make_house

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def house(transactional_db: None, nothing_kept: None) -> House:
    return make_house()


@dataclass
class Visit:
    """The clicks of a real pointer so far, and the seconds since the visit began."""

    page: Page
    clicks: int = 0
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.page.expose_function("countClick", self.count)
        self.page.add_init_script(
            "addEventListener('pointerdown', (event) => event.isTrusted && countClick(), true)"
        )

    def count(self) -> None:
        self.clicks += 1

    def assert_short(self, *, clicks: int) -> None:
        """Prints what ``pytest -s`` shows."""
        seconds = time.monotonic() - self.began
        print(f"{self.clicks} clicks, {seconds:.1f} s")  # noqa: T201 - the figure is what the test is for
        assert self.clicks == clicks <= 12
        assert seconds < 180


def list_of(page: Page) -> list[str]:
    """The titles of the first row."""
    row = page.get_by_role("region", name="For you")
    expect(row).to_be_visible()
    return row.get_by_role("heading", level=3).all_inner_texts()


def rate_two_films(page: Page) -> list[list[str]]:
    """Where they stand on the home page; the list after each."""
    lists = []
    for _ in range(2):
        card = page.get_by_role("region", name="Popular").get_by_role("article").first
        title = card.get_by_role("heading").inner_text()
        give(card, 4.5)
        expect(page.get_by_text(f"You gave {title} 4.5 stars.")).to_be_visible()
        lists.append(list_of(page))
    return lists


def test_leads_a_newcomer_from_home_to_a_changed_list_in_two_clicks(page: Page) -> None:
    visit = Visit(page)
    page.goto("/")
    expect(page.get_by_role("region", name="For you")).to_have_count(0)
    before, after = rate_two_films(page)
    assert before != after
    visit.assert_short(clicks=2)


def test_leads_a_newcomer_by_an_account_to_a_changed_list_in_six_clicks(page: Page) -> None:
    visit = Visit(page)
    page.goto("/")
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("Username").click()
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.get_by_role("link", name="Skip for now").click()
    before, after = rate_two_films(page)
    assert before != after
    visit.assert_short(clicks=6)


def test_leads_a_newcomer_by_ten_films_to_a_list_in_twelve_clicks(page: Page) -> None:
    visit = Visit(page)
    page.goto("/")
    page.get_by_role("link", name="Start with films you know").click()
    page.get_by_role("link", name="Horror").click()
    for number in range(1, 11):
        give(page.get_by_role("article").first, 4.5)
        if number < 10:
            expect(page.get_by_text(f"{number} rated, {10 - number} to go")).to_be_visible()
    assert list_of(page)
    visit.assert_short(clicks=12)
    assert Rating.objects.filter(user__is_guest=True).count() == 10


def test_asks_about_another_film_where_one_was_not_seen(either_page: Page) -> None:
    page = either_page
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
        give(page.get_by_role("article").first, 4)
        if number < 10:
            expect(page.get_by_text(f"{number} rated, {10 - number} to go")).to_be_visible()
    expect(page.get_by_role("heading", name="For you")).to_be_visible()


def test_takes_a_dismissal_back_on_the_spot(either_page: Page) -> None:
    page = either_page
    page.goto("/")
    shown = page.get_by_role("region", name="Popular").get_by_role("article").get_by_role("heading")
    title = shown.first.inner_text()
    page.get_by_role("button", name=f"Not for me: {title}").click()
    expect(page.get_by_text(f"{title} will not be recommended to you again.")).to_be_visible()
    assert title not in shown.all_inner_texts()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text(f"{title} may be recommended to you again.")).to_be_visible()
    assert title in shown.all_inner_texts()
    assert not Dismissal.objects.get().is_active
