"""Takes the pictures of the pages anew, at a site that was just started by ``make demo``.

    .venv/bin/python docs/images/take.py http://127.0.0.1:8000

Signs up "ada", who must not be there yet and gives five stars to the five films of the tutorial.
"""

import os
import secrets
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FOLDER = Path(__file__).resolve().parent
LOVED = ("Alien 1979", "Terminator 2: Judgment Day", "The Matrix 1999", "Blade Runner", "Aliens 1986")
WIDE, NARROW = {"width": 1280, "height": 720}, {"width": 360, "height": 740}


def main(site: str) -> None:
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*sandbox, "--disable-gpu"])
        state = _become_a_viewer(browser, site)
        wide = browser.new_context(base_url=site, viewport=WIDE, color_scheme="light", storage_state=state)
        page = wide.new_page()
        _take(page, "/", "home.png")
        _take(page, "/browse?genre=Sci-Fi&year_min=1980&year_max=1999", "browse.png")
        page.goto("/search?q=blade+runner")
        page.locator(".card__link").click()
        page.locator(".film").wait_for()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=FOLDER / "film.png")
        narrow = browser.new_context(base_url=site, viewport=NARROW, color_scheme="dark", storage_state=state)
        _take(narrow.new_page(), "/", "home-dark-360.png")
        browser.close()


def _become_a_viewer(browser: Browser, site: str) -> dict[str, object]:
    """The cookies of a new account with five ratings."""
    context = browser.new_context(base_url=site)
    page = context.new_page()
    page.goto("/sign-up")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(secrets.token_urlsafe(16))
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.wait_for_load_state("networkidle")
    for title in LOVED:
        page.goto(f"/search?q={title.replace(' ', '+')}")
        page.get_by_role("slider").first.focus()
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        page.get_by_text("5 stars.").wait_for()
    return dict(context.storage_state())


def _take(page: Page, path: str, name: str) -> None:
    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / name)


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
