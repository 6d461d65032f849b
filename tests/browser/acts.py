"""What somebody does on the site, with a pointer."""

from playwright.sync_api import Locator, Page, expect

from tests.factories import PASSWORD


def point_of(card: Locator, stars: float) -> dict[str, float]:
    """The middle of the half star that ends there; a range of stars begins half a star early."""
    box = card.get_by_role("slider").bounding_box()
    assert box is not None
    return {"x": box["width"] * (2 * stars + 0.5) / 11, "y": box["height"] / 2}


def give(card: Locator, stars: float) -> None:
    card.get_by_role("slider").click(position=point_of(card, stars))


def sign_up(page: Page) -> None:
    page.goto("/sign-up")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("Welcome, ada.")).to_be_visible()
