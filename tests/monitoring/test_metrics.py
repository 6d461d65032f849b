"""What Prometheus reads."""

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import timedelta
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from apps.core.services import record_heartbeat
from apps.training.models import ModelVersion, TrainingRun
from tests.callers import bearer
from tests.core.conftest import environment, redis_database
from tests.core.test_shared_rates import port_of
from tests.factories import make_api_key, make_movie, make_user
from tests.house import House
from tests.pages.conftest import house, nothing_kept
from tests.processes import production, running
from tests.rows import make_row

__all__ = ["environment", "house", "nothing_kept", "redis_database"]

Samples = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def headers(db: None) -> dict[str, str]:
    return {"Authorization": f"Api-Key {make_api_key('metrics.read')[1]}"}


def read(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(headers: Mapping[str, str]) -> Samples:
    response = Client().get("/metrics", headers=headers)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    return read(response.content.decode())


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((f"marquee_{name}", tuple(sorted(labels.items()))), 0.0)


def test_counts_requests_by_route_method_and_status(headers: dict[str, str]) -> None:
    film, before = make_movie(), scrape(headers)
    for path in (f"/film/{film.pk}", f"/film/{film.pk}?again=1", "/film/99999"):
        Client().get(path)
    after, route = scrape(headers), "/film/<id:movie_id>"
    for status, number in (("200", 2), ("404", 1)):
        labels = {"route": route, "method": "GET", "status": status}
        assert value(after, "requests_total", **labels) - value(before, "requests_total", **labels) == number
    took = [value(samples, "request_seconds_count", route=route) for samples in (before, after)]
    assert took[1] - took[0] == 3


def test_counts_slates_feedback_and_what_was_degraded(headers: dict[str, str]) -> None:
    film, viewer, before = make_movie(), bearer(make_user()), scrape(headers)
    viewer.send("GET", "/api/v1/movies/recommendations")
    viewer.send("POST", "/api/v1/events", {"item_id": film.pk, "event_type": "click"})
    after = scrape(headers)
    for name, labels in (
        ("slates_total", {"surface": "api", "policy": "fixed"}),
        ("degraded_slates_total", {"surface": "api", "reason": "no_model"}),
        ("feedback_total", {"kind": "click", "status": "new"}),
    ):
        assert value(after, name, **labels) - value(before, name, **labels) == 1, name


def test_tells_the_age_of_the_model_and_of_each_sign_of_life(headers: dict[str, str], house: House) -> None:
    version = ModelVersion.objects.get(status="live")
    ModelVersion.objects.update(read_at=timezone.now() - timedelta(hours=5))
    record_heartbeat("worker")
    samples = scrape(headers)
    assert 18_000 <= value(samples, "model_age_seconds", recipe="standard") < 18_060
    assert value(samples, "model_info", recipe="standard", version=version.name) == 1
    assert ("marquee_heartbeat_age_seconds", (("name", "worker"),)) in samples


def test_tells_of_training_runs_and_the_backlog(headers: dict[str, str], house: House) -> None:
    TrainingRun.objects.create(recipe_id=TrainingRun.objects.get().recipe_id, trigger="test", status="failed")
    viewer = bearer(make_user())
    viewer.send("PUT", f"/api/v1/ratings/{house.horror[0].pk}", {"rating": 4})
    samples = scrape(headers)
    found = {status: value(samples, "training_runs", status=status) for status in TrainingRun.Status.values}
    assert found == {"running": 0, "succeeded": 1, "failed": 1, "abandoned": 0, "refused": 0}
    assert value(samples, "training_last_end_timestamp_seconds", status="succeeded") > 1e9
    assert value(samples, "training_backlog_ratings") == 1


def test_says_of_each_part_whether_it_is_as_it_should_be(headers: dict[str, str], settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    samples = scrape(headers)
    assert value(samples, "part_ok", part="database") == 1
    assert samples["marquee_part_ok", (("part", "cache"),)] == 0


@pytest.mark.redis
def test_tells_how_many_tasks_wait(headers: dict[str, str], settings: Any, redis_database: Any) -> None:
    number = redis_database.connection_pool.connection_kwargs["db"]
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:6379/{number}"
    assert value(scrape(headers), "queue_depth") == 0
    redis_database.rpush("celery", "{}", "{}", "{}")
    assert value(scrape(headers), "queue_depth") == 3


def test_labels_hold_no_path_and_no_id(headers: dict[str, str]) -> None:
    for path in (
        "/film/123456",
        "/nowhere/ada",
        "/api/v1/movies/123456",
        "/search?q=ada",
        "/poster/77777.svg",
    ):
        Client().get(path)
        Client().generic("BREW", path)
    labels = [text for _, pairs in scrape(headers) for name, text in pairs if name in {"route", "method"}]
    assert not [text for text in labels if re.search(r"\d{3,}|ada|BREW", text)]


@pytest.mark.parametrize("n", [2, 12])
@pytest.mark.parametrize("model", [TrainingRun, ModelVersion])
def test_takes_as_many_queries_however_many_rows_there_are(
    headers: dict[str, str], django_assert_num_queries: Any, model: Any, n: int
) -> None:
    """The key and the note of its use; heartbeats, versions, runs, the policy, two of the backlog."""
    for _ in range(n):
        make_row(model)
    scrape(headers)
    with django_assert_num_queries(7):
        scrape(headers)


# --- Several processes ---------------------------------------------------------------------------


@pytest.fixture
def server(transactional_db: None, tmp_path: Path) -> Iterator[int]:
    """The port of a web server of three processes that count together."""
    shared = production(
        WEB_WORKERS="3",
        WEB_BIND="127.0.0.1:0",
        PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "metrics"),
        LOG_FORMAT="LINE",
    )
    with running(shared, "gunicorn", "-c", "python:recommender_site.web", "recommender_site.wsgi") as program:
        yield port_of(program)


def get(port: int, path: str, **headers: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    response: HTTPResponse
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - our own address
        return response.read().decode()


def test_processes_of_one_server_count_together(server: int) -> None:
    key = {"Authorization": f"Api-Key {make_api_key('metrics.read')[1]}"}
    for _ in range(40):
        get(server, "/healthz")
    labels = {"route": "/healthz", "method": "GET", "status": "200"}
    assert [value(read(get(server, "/metrics", **key)), "requests_total", **labels) for _ in range(4)] == [
        40
    ] * 4


def test_a_folder_for_counting_is_made_when_it_is_missing(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    subprocess.run(
        [sys.executable, "manage.py", "check"],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        cwd=django_settings.BASE_DIR,
        capture_output=True,
        check=True,
    )
    assert folder.is_dir()
