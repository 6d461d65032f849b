"""What somebody does on the site, with a pointer; with script or without."""

from playwright.sync_api import Locator, Page, expect

from tests.factories import PASSWORD


def point_of(card: Locator, stars: float) -> dict[str, float]:
    """The middle of the half star that ends there; a range of stars begins half a star early."""
    box = card.get_by_role("slider").bounding_box()
    assert box is not None
    return {"x": box["width"] * (2 * stars + 0.5) / 11, "y": box["height"] / 2}


def give(card: Locator, stars: float) -> None:
    """With script the star sends; without it the button, which is in nobody's way with it."""
    scripting = card.page.evaluate("matchMedia('(scripting: enabled)').matches")
    card.get_by_role("slider").click(position=point_of(card, stars))
    if not scripting:  # asked before the click: the star may lead to the next page at once
        card.get_by_role("button", name="Rate").click()


def sign_up(page: Page) -> None:
    page.goto("/sign-up")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("Welcome, ada.")).to_be_visible()


def log_in(page: Page) -> None:
    page.goto("/log-in")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def enter_admin(page: Page, path: str, link: str) -> None:
    """Logs ada in and goes to that page below /admin/; ``link`` is one in the sidebar."""
    page.goto(f"/admin/login/?next=/admin/{path}")
    page.locator("[name=username]").fill("ada")
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name=link).first).to_be_visible()


def send_file(page: Page, name: str, data: bytes) -> None:
    """Ratings from elsewhere; the page then says what they would change."""
    page.goto("/settings/data")
    page.get_by_role("link", name="Import ratings").click()
    file = {"name": name, "mimeType": "text/csv", "buffer": data}
    page.get_by_label("Your file", exact=True).set_input_files(file)
    page.get_by_role("button", name="Look at the file").click()
