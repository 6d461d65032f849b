"""The pages come up in a real browser, with nothing refused and no script failing."""

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_opens_the_home_page(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_lets_staff_into_the_admin(page: Page) -> None:
    User.objects.create_superuser("ada", password="a-long-made-up-password")
    page.goto("/admin/")
    page.locator("[name=username]").fill("ada")
    page.locator("[name=password]").fill("a-long-made-up-password")
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_title("Overview | Marquee")
