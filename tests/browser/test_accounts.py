"""Coming, going, and what is set of oneself, with script and without."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.events.models import Feedback
from apps.ratings.models import Rating
from tests.browser.acts import give, log_in, sign_up
from tests.browser.conftest import new_page
from tests.factories import PASSWORD, make_movie, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
GROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture(autouse=True)
def film(transactional_db: None, nothing_kept: None) -> Movie:
    return make_movie("Ringu", year=1998, genres=["Horror"])


def rate(page: Page, film: Movie) -> None:
    page.goto(f"/film/{film.pk}")
    give(page.locator("#own"), 4)
    expect(page.get_by_text("You gave it 4 stars")).to_be_visible()


def test_signs_up_with_what_was_rated_before_logs_out_and_in(either_page: Page, film: Movie) -> None:
    page = either_page
    rate(page, film)
    sign_up(page)
    assert Rating.objects.get().user.username == "ada"
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("You are logged out.")).to_be_visible()
    page.goto(f"/film/{film.pk}")
    expect(page.get_by_text("Seen it? Give it stars")).to_be_visible()
    log_in(page)
    page.goto(f"/film/{film.pk}")
    expect(page.get_by_text("You gave it 4 stars")).to_be_visible()


def test_saves_the_profile_and_the_time_zone(either_page: Page) -> None:
    page = either_page
    make_user("ada")
    log_in(page)
    page.goto("/settings")
    page.get_by_label("Username").fill("grace")
    page.get_by_label("Email (optional)").fill("grace@example.org")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Save the profile").click()
    expect(page.get_by_text("Your profile is saved.")).to_be_visible()
    page.get_by_label("Your time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Save the time zone").click()
    expect(page.get_by_text("Your time zone is saved.")).to_be_visible()
    grace = User.objects.get(username="grace")
    assert (grace.email, grace.timezone) == ("grace@example.org", "Asia/Tokyo")


@pytest.mark.parametrize("device", ["light", "dark"])
def test_looks_as_was_chosen_whatever_the_device_says(either_page: Page, device: Any) -> None:
    page = either_page
    page.emulate_media(color_scheme=device)
    page.goto("/settings")
    grounds = {}
    for name in ("As the device says", "Light", "Dark"):
        page.get_by_role("button", name=name).click()
        expect(page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
        grounds[name] = page.evaluate(GROUND)
    assert grounds["Light"] != grounds["Dark"]
    assert grounds["As the device says"] == grounds[device.capitalize()]


def test_ends_a_session_elsewhere(either_page: Page, chromium: Browser, live_server: LiveServer) -> None:
    page = either_page
    make_user("ada")
    log_in(page)
    with new_page(chromium, live_server) as other:
        log_in(other)
        page.goto("/settings/sessions")
        expect(page.get_by_text("Chrome on Linux")).to_have_count(2)
        page.get_by_role("button", name="End the session of").click()
        expect(page.get_by_text("That session has ended.")).to_be_visible()
        other.goto("/about")
        expect(other.get_by_role("link", name="Log in")).to_be_visible()


def test_takes_everything_along_and_leaves(either_page: Page, film: Movie) -> None:
    page = either_page
    rate(page, film)
    page.goto("/settings/data")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the export").click()
    assert download.value.suggested_filename == "marquee-export.zip"
    page.get_by_role("link", name="Erase everything").click()
    page.get_by_label("Type erase to confirm").fill("erase")
    page.get_by_role("button", name="Erase everything").click()
    expect(page.get_by_role("heading", name="Everything is erased")).to_be_visible()
    assert not User.objects.filter(is_imported=False).exists()
    assert not Feedback.objects.exists()


def test_erases_an_account_by_its_password(either_page: Page, film: Movie) -> None:
    page = either_page
    make_user("ada")
    log_in(page)
    rate(page, film)
    page.goto("/settings/erase")
    page.get_by_label("Type erase to confirm").fill("erase")
    page.get_by_label("Your password").fill("not-the-password")
    page.get_by_role("button", name="Erase everything").click()
    expect(page.get_by_text("This is not your password")).to_be_visible()
    page.get_by_label("Type erase to confirm").fill("erase")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Erase everything").click()
    expect(page.get_by_role("heading", name="Everything is erased")).to_be_visible()
    assert not User.objects.exists()
    assert not Rating.objects.exists()
