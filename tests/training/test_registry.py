import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError, connection
from prometheus_client import REGISTRY
from pytest_django.asserts import assertNumQueries

from apps.algorithms.types import History
from apps.catalog.models import Movie
from apps.training.models import ModelVersion
from apps.training.registry import engine
from apps.training.services import activate, train
from tests.processes import database_url

pytestmark = pytest.mark.django_db


def alter(version: ModelVersion, own_artifacts: Path) -> None:
    file = own_artifacts / version.artifact / "arm_svd.factors.npy"
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)


def served() -> str | None:
    current = engine()
    return current.version if current else None


def failures(reason: str) -> float:
    return REGISTRY.get_sample_value("marquee_artifact_failures_total", {"reason": reason}) or 0.0


def test_there_is_no_engine_without_a_version(db: None) -> None:
    assert engine() is None
    assert engine("never-made") is None


def test_serves_every_arm_over_mapped_arrays(films: list[Movie]) -> None:
    version = train()
    current = engine()
    assert current is not None
    assert (current.version, current.recipe, current.n_items) == (version.name, "standard", len(films))
    viewer = History(items=np.array([0, 2]), values=np.array([5, 5], dtype=np.float32))
    for name, arm in current.arms.items():
        assert arm.scores([viewer]).shape == (1, len(films)), name
        assert not any(array.flags.writeable for array in arm.arrays().values()), name
    assert (
        current.predictor.predict(viewer, np.array([4]))[0]
        > current.predictor.predict(viewer, np.array([3]))[0]
    )


def test_knows_the_films_for_reranking(films: list[Movie]) -> None:
    Movie.objects.filter(pk=films[5].pk).update(is_long_tail=True)
    train()
    current = engine()
    assert current is not None
    lengths = np.linalg.norm(current.traits.vectors, axis=1)
    np.testing.assert_allclose(lengths, 1.0, rtol=1e-5)
    assert current.popularity.tolist() == [film.rating_set.count() for film in films]
    assert current.primary_genre.tolist() == [0, 1] * 6
    assert (current.genre_names, current.genre_column("drama"), current.genre_column("War")) == (
        ("Comedy", "Drama"),
        1,
        None,
    )
    assert np.flatnonzero(current.is_long_tail).tolist() == [5]


def test_a_new_version_replaces_the_engine_and_leaves_the_old_one_whole(films: list[Movie]) -> None:
    first, old = train(), engine()
    second = train()
    assert old is not None
    assert (first.name, second.name) == (old.version, served())
    assert np.isfinite(old.arms["hybrid"].scores([History.empty()])).all()


def test_staff_can_go_back_to_a_version(films: list[Movie]) -> None:
    first, _ = train(), train()
    activate(version=first)
    assert served() == first.name


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda folder: (folder / "films.ids.npy").unlink(), "missing"),
        (lambda folder: os.truncate(folder / "films.ids.npy", 100), "truncated"),
        (lambda folder: (folder / "films.ids.npy").write_bytes(b"x" * 224), "altered"),
    ],
)
def test_the_version_before_serves_when_the_new_one_is_damaged(
    films: list[Movie], own_artifacts: Path, damage: Callable[[Path], object], reason: str
) -> None:
    first = train()
    assert served() == first.name
    second, before = train(), failures(reason)
    damage(own_artifacts / second.artifact)
    assert (served(), failures(reason)) == (first.name, before + 1)


def test_the_error_names_the_version_and_the_file(
    films: list[Movie], own_artifacts: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = train()
    engine()
    second = train()
    alter(second, own_artifacts)
    assert served() == first.name
    file = own_artifacts / second.artifact / "arm_svd.factors.npy"
    assert (
        f"version_refused recipe=standard version={second.name} reason=altered serving={first.name}"
        in caplog.text
    )
    assert f"{file} was altered after it was written." in caplog.text


def test_a_fresh_process_falls_back_to_the_last_good_version(films: list[Movie], own_artifacts: Path) -> None:
    first, second, third = train(), train(), train()
    for version in (second, third):
        alter(version, own_artifacts)
    assert served() == first.name
    assert served() == first.name


def test_there_is_no_engine_when_no_version_is_whole(films: list[Movie], own_artifacts: Path) -> None:
    alter(train(), own_artifacts)
    assert engine() is None


def test_a_damaged_version_is_not_read_again_at_each_request(films: list[Movie], own_artifacts: Path) -> None:
    train()
    engine()
    alter(train(), own_artifacts)
    before = failures("altered")
    for _ in range(3):
        engine()
    assert failures("altered") == before + 1


def test_a_version_of_an_unknown_arm_is_refused(films: list[Movie], own_artifacts: Path) -> None:
    version = train()
    file = own_artifacts / version.artifact / "manifest.json"
    file.write_text(file.read_text().replace('"als": {', '"alsatian": {'))
    ModelVersion.objects.update(manifest_sha256="")
    before = failures("format")
    assert (engine(), failures("format")) == (None, before + 1)


def test_costs_no_query_between_two_checks(films: list[Movie], settings: Any) -> None:
    settings.VERSION_TTL_SECONDS = 60.0
    train()
    engine()
    with assertNumQueries(0):
        for _ in range(100):
            engine()


def test_a_check_costs_one_query(films: list[Movie]) -> None:
    train()
    engine()
    with assertNumQueries(1):
        engine()


def test_a_database_that_fails_leaves_the_engine(films: list[Movie]) -> None:
    version = train()
    assert served() == version.name

    def fail(*args: Any) -> None:
        raise DatabaseError("the database is away")

    with connection.execute_wrapper(fail):
        assert served() == version.name


@pytest.mark.django_db(transaction=True)
def test_the_version_before_serves_while_the_new_one_loads(
    films: list[Movie], settings: Any, own_artifacts: Path
) -> None:
    first = train()
    assert served() == first.name
    second = train()
    manifest = own_artifacts / second.artifact / "manifest.json"
    whole = manifest.rename(manifest.with_suffix(".whole"))
    os.mkfifo(manifest)  # whoever reads it waits for somebody who writes
    settings.VERSION_TTL_SECONDS = 0.002
    assert {served() for _ in range(200)} == {first.name}
    with manifest.open("wb") as pipe:
        pipe.write(whole.read_bytes())
        whole.replace(manifest)
    deadline = time.monotonic() + 10
    while served() != second.name and time.monotonic() < deadline:
        time.sleep(0.005)
    assert served() == second.name


WATCHER = """
import sys, time, django
django.setup()
from django.conf import settings
from apps.training.registry import engine
settings.VERSION_TTL_SECONDS = 2.0
last = None
while True:
    current = engine()
    if current is not None and current.version != last:
        last = current.version
        print(last, time.time(), flush=True)
    time.sleep(0.01)
"""


@pytest.mark.django_db(transaction=True)
def test_other_processes_serve_a_new_version_within_two_seconds(
    films: list[Movie], own_artifacts: Path
) -> None:
    first = train()
    watchers = [start_watcher(own_artifacts) for _ in range(2)]
    try:
        assert [read_version(watcher)[0] for watcher in watchers] == [first.name] * 2
        second = train()
        assert second.activated_at is not None
        for watcher in watchers:
            version, seen_at = read_version(watcher)
            assert version == second.name
            assert seen_at - second.activated_at.timestamp() < 2.0
    finally:
        for watcher in watchers:
            watcher.kill()
            watcher.communicate()


def start_watcher(own_artifacts: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WATCHER],
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "ARTIFACT_DIR": str(own_artifacts),
            "DJANGO_SETTINGS_MODULE": "recommender_site.settings.dev",
        },
        cwd=django_settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )


def read_version(watcher: "subprocess.Popen[str]") -> tuple[str, float]:
    assert watcher.stdout is not None
    version, seen_at = watcher.stdout.readline().split()
    return version, float(seen_at)
