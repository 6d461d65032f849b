"""Chromium for the tests marked ``browser``: the installed one, driven by playwright."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from apps.experiments.models import Holdout
from apps.experiments.policy import forget_policy
from apps.experiments.running import forget_field
from tests.conftest import SERVICES_REQUIRED
from tests.factories import make_user
from tests.house import House, make_house
from tests.pages.conftest import nothing_kept

__all__ = ["nothing_kept"]

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
SLOWEST_MS = 15_000


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        reason = f"no Chromium at {CHROMIUM}: install it, or name it in CHROMIUM"
        pytest.fail(reason) if SERVICES_REQUIRED else pytest.skip(reason)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, which Django takes for asynchronous code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        sandbox = [] if os.geteuid() else ["--no-sandbox"]  # Chromium refuses root with its sandbox
        quiet = ["--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*sandbox, *quiet])
        expect.set_options(timeout=SLOWEST_MS)
        yield browser
        browser.close()


@contextmanager
def new_page(
    chromium: Browser, live_server: LiveServer, *, may_refuse: bool = False, **options: Any
) -> Iterator[Page]:
    """A new visitor's page. The test fails if a script, the policy or the server complained meanwhile.

    ``may_refuse`` lets forms come back with 400.
    """
    complaints: list[str] = []
    refused = "the server responded with a status of 400"

    def hear_console(message: ConsoleMessage) -> None:
        if message.type == "error" and not (may_refuse and refused in message.text):
            complaints.append(message.text)

    def hear_response(response: Response) -> None:
        if response.status >= 400 and not (may_refuse and response.status == 400):
            complaints.append(f"{response.status} {response.url}")

    with chromium.new_context(base_url=live_server.url, **options) as context:
        page = context.new_page()
        page.set_default_timeout(SLOWEST_MS)
        page.on("console", hear_console)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("response", hear_response)
        yield page
    assert complaints == []


@pytest.fixture
def page(chromium: Browser, live_server: LiveServer) -> Iterator[Page]:
    with new_page(chromium, live_server) as page:
        yield page


@pytest.fixture
def plain_page(chromium: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A page of a browser that runs no script."""
    with new_page(chromium, live_server, java_script_enabled=False) as page:
        yield page


@pytest.fixture(params=["page", "plain_page"])
def either_page(request: pytest.FixtureRequest) -> Page:
    """A page of somebody who has been here once: with script, then of a browser that runs none."""
    page: Page = request.getfixturevalue(request.param)
    page.goto("/about")
    return page


@pytest.fixture
def staffed_house(transactional_db: None, nothing_kept: None) -> House:
    """A site with films, what migrations make of experiments, and a superuser called ada."""
    house = make_house()
    # The rows that migrations make are gone where a test before emptied the tables.
    Holdout.objects.get_or_create(pk=Holdout.SINGLETON)
    forget_policy()
    forget_field()
    make_user("ada", is_staff=True, is_superuser=True)
    return house
