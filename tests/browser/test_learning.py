"""A rating reaches the threshold, and the model that serves everybody knows it: in processes of their own."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from apps.algorithms.types import History
from apps.catalog.models import Movie
from apps.training.models import ModelUpdateLog, ModelVersion
from apps.training.registry import engine
from tests.browser.acts import give, sign_up
from tests.browser.conftest import new_page
from tests.core.conftest import redis_database
from tests.house import House, make_house
from tests.processes import database_url, running, wait_until

__all__ = ["redis_database"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
THRESHOLD = 6


@pytest.fixture
def house(transactional_db: None, nothing_kept: None) -> House:
    return make_house()


@pytest.fixture(params=["embedded", pytest.param("redis", marks=pytest.mark.redis)])
def address(request: pytest.FixtureRequest, house: House) -> Iterator[str]:
    """Of the site with a worker: one process, or a web server and a worker with Redis between them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "recommender_site.settings.dev",
        "DATABASE_URL": database_url(),
        "ARTIFACT_DIR": str(settings.ARTIFACT_DIR),
        "UPDATE_THRESHOLD": str(THRESHOLD),
    }
    with ExitStack() as stack:
        if request.param == "embedded":
            stack.enter_context(running(environment, "manage", "serve", "--port", port))
        else:
            connection = request.getfixturevalue("redis_database").connection_pool.connection_kwargs
            url = "redis://{host}:{port}/{db}".format(**connection)
            environment |= {"CELERY_BROKER_URL": url, "REDIS_URL": url}
            words = ("recommender_site.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "4")
            stack.enter_context(running({**environment, "WEB_PROCESS": "true"}, "gunicorn", *words))
            stack.enter_context(running(environment, "celery", "-A", "recommender_site", "worker", "-c", "1"))
        wait_until(lambda: is_open(int(port)), "the server listens")
        yield f"http://127.0.0.1:{port}"


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Visitor:
    """Somebody who asks for the home page again and again."""

    url: str
    failed: list[str] = field(default_factory=list)
    n_asked: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> None:
        while not self._ended.wait(0.05):
            self.n_asked += 1
            try:
                with urlopen(f"{self.url}/", timeout=20) as answer:  # noqa: S310 - our own address
                    answer.read()
            except OSError as error:
                self.failed.append(str(error))

    def __enter__(self) -> "Visitor":
        self._thread = threading.Thread(target=self.ask, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._ended.set()
        self._thread.join()


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    with new_page(chromium, SimpleNamespace(url=address)) as page:  # type: ignore[arg-type] # all that it reads
        yield page


def closeness(one: Movie, other: Movie) -> float:
    """What somebody who liked ``one`` alone would be told of ``other`` by item_cf."""
    current = engine()
    assert current is not None
    spots = current.items.indices([one.pk, other.pk])
    history = History(spots[:1], np.array([5.0], dtype=np.float32))
    return float(current.arms["item_cf"].scores([history])[0, spots[1]])


def rate(page: Page, movie: Movie) -> None:
    page.goto(f"/film/{movie.pk}")
    give(page.get_by_role("main"), 5.0)
    expect(page.get_by_text(f"You gave {movie.title} 5 stars.")).to_be_visible()


def test_rating_until_the_threshold_makes_a_version_that_knows_it(
    page: Page, house: House, address: str
) -> None:
    joined = (house.horror[0], house.comedy[0])
    before, first = closeness(*joined), ModelVersion.objects.get(status="live")
    sign_up(page)
    with Visitor(address) as visitor:
        for movie in (*joined, *house.horror[1:3], *house.comedy[1:3]):
            rate(page, movie)
        later = ModelVersion.objects.filter(status="live").exclude(pk=first.pk)
        wait_until(later.exists, "a new version live")

        def served() -> bool:
            answer = page.request.get("/api/v1/movies/recommendations")
            return bool(answer.json()["model_version"] == later.get().name)

        wait_until(served, "a list made by it")
    version = later.get()
    assert (version.update_type, version.n_ratings) == ("warm_start_rebuild", first.n_ratings + THRESHOLD)
    log = ModelUpdateLog.objects.get(version=version.name)
    assert (log.update_trigger, log.ratings_processed) == (f"threshold_reached_{THRESHOLD}", THRESHOLD)
    assert closeness(*joined) > before
    assert visitor.n_asked > 10
    assert visitor.failed == []
