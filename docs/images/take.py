"""Takes the pictures of the pages anew, at a site that was just started by ``make demo``.

    .venv/bin/python docs/images/take.py http://127.0.0.1:8000
    .venv/bin/python docs/images/take.py http://127.0.0.1:8000 PASSWORD

Signs up "ada", who must not be there yet and gives five stars to the five films of the tutorial. With the
password of "admin" it takes those of the admin instead, at a site on which the guide to A/B tests was tried.
"""

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FOLDER = Path(__file__).resolve().parent
LOVED = ("Alien 1979", "Terminator 2: Judgment Day", "The Matrix 1999", "Blade Runner", "Aliens 1986")
# As Letterboxd writes them: two films that ada gave other stars, three new ones, one that is not there.
FILE = b"""Date,Name,Year,Letterboxd URI,Rating
2026-01-02,Alien,1979,,3.5
2026-01-02,Aliens,1986,,4
2026-01-02,Fargo,1996,,4.5
2026-01-03,Pulp Fiction,1994,,4
2026-01-04,The Big Lebowski,1998,,4.5
2026-01-04,A Film of Next Year,2027,,4
"""


@dataclass(frozen=True)
class Picture:
    name: str
    path: str
    scheme: Any = "light"
    width: int = 1280
    height: int = 720


PICTURES = (
    Picture("home", "/"),
    Picture("browse", "/browse?genre=Sci-Fi&year_min=1980&year_max=1999"),
    Picture("film", "/search?q=blade+runner"),
    Picture("welcome", "/welcome?group=horror", scheme="dark", width=900, height=760),
    Picture("my-films", "/my-films", height=755),
    Picture("import", "/settings/import", height=1000, width=800),
    Picture("settings", "/settings", scheme="dark", width=360, height=740),
    Picture("home-dark-360", "/", scheme="dark", width=360, height=740),
)

EXPERIMENT = "/admin/experiments/experiment/bandit-vs-hybrid"
ADMIN_PICTURES = (
    Picture("experiment", f"{EXPERIMENT}/results/", height=900),
    Picture("experiment-dark-360", f"{EXPERIMENT}/results/", scheme="dark", width=360, height=740),
)


def main(site: str, password: str = "") -> None:
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    quiet = ["--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*sandbox, *quiet])
        state = _enter_as_admin(browser, site, password) if password else _become_a_viewer(browser, site)
        for picture in ADMIN_PICTURES if password else PICTURES:
            _take(browser, site, picture, state)
        browser.close()


def _become_a_viewer(browser: Browser, site: str) -> Mapping[str, object]:
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


def _enter_as_admin(browser: Browser, site: str, password: str) -> Mapping[str, object]:
    context = browser.new_context(base_url=site)
    page = context.new_page()
    page.goto("/admin/login/?next=/admin/")
    page.locator("[name=username]").fill("admin")
    page.locator("[name=password]").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state("networkidle")
    return dict(context.storage_state())


def _take(browser: Browser, site: str, picture: Picture, state: Any) -> None:
    size: Any = {"width": picture.width, "height": picture.height}
    with browser.new_context(
        base_url=site, viewport=size, color_scheme=picture.scheme, storage_state=state
    ) as context:
        page = context.new_page()
        page.goto(picture.path)
        _go_on(page, picture.name)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=FOLDER / f"{picture.name}.png")


def _go_on(page: Page, name: str) -> None:
    """What leads from the address to what the picture shows, where an address alone does not."""
    if name == "film":
        page.locator(".card__link").first.click()
        page.locator(".film").wait_for()
    if name == "import":
        file: Any = {"name": "ratings.csv", "mimeType": "text/csv", "buffer": FILE}
        page.get_by_label("Your file", exact=True).set_input_files(file)
        page.get_by_role("button", name="Look at the file").click()
        page.get_by_role("heading", name="What this file would change").wait_for()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), *sys.argv[2:])
