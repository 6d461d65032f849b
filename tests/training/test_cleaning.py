"""Which files stay, and which go."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.catalog.models import Movie
from apps.ratings.services import record_preference
from apps.training.corpus import corpus_folder
from apps.training.models import ModelVersion, TrainingRun, UpdateType
from apps.training.services import activate, clean_up, request_run, train
from apps.training.services.cleaning import ORPHAN_SECONDS
from apps.training.services.runs import artifact_name
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_is_kept(settings: Any) -> None:
    settings.ARTIFACTS_KEPT = 1


def update(films: list[Movie]) -> ModelVersion:
    user = make_user()
    record_preference(user_id=user.pk, movie_id=films[0].pk, kind="rate", value=4.0, at=timezone.now())
    return train(update_type=UpdateType.WARM_START)


def names(*versions: ModelVersion) -> list[str]:
    return sorted(version.name for version in versions)


def make_old(folder: Path) -> None:
    then = time.time() - ORPHAN_SECONDS - 60
    os.utime(folder, (then, then))


def test_the_last_versions_and_the_last_two_full_retrains_stay(
    films: list[Movie], own_artifacts: Path, settings: Any
) -> None:
    settings.ARTIFACTS_KEPT = 2
    first, second, third = train(), train(), train()
    updates = [update(films) for _ in range(3)]
    assert sorted(os.listdir(own_artifacts)) == names(second, third, *updates[1:])
    first.refresh_from_db()
    updates[0].refresh_from_db()
    assert (first.artifact, updates[0].artifact, first.status) == ("", "", "retired")


def test_the_live_version_and_a_pinned_one_stay(films: list[Movie], own_artifacts: Path) -> None:
    old = train()
    pin(old, True)
    newer = [train(), train()]
    assert sorted(os.listdir(own_artifacts)) == names(old, *newer)
    activate(version=old)
    pin(old, False)
    assert clean_up().versions == []
    activate(version=newer[1])
    assert clean_up().versions == [old.name]


def pin(version: ModelVersion, is_pinned: bool) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(is_pinned=is_pinned)


def test_of_refused_versions_the_last_one_stays(
    films: list[Movie], own_artifacts: Path, settings: Any
) -> None:
    settings.ARTIFACTS_KEPT = 3
    live, *refused = (train() for _ in range(3))
    activate(version=live)
    for version in refused:
        ModelVersion.objects.filter(pk=version.pk).update(status=ModelVersion.Status.REFUSED)
    assert clean_up().versions == [refused[0].name]
    assert sorted(os.listdir(own_artifacts)) == names(live, refused[1])


def name_of_a_failed_run() -> str:
    run = request_run(recipe="standard", trigger="test")
    TrainingRun.objects.filter(pk=run.pk).update(status=TrainingRun.Status.FAILED)
    return artifact_name(run)


def test_what_belongs_to_no_version_goes_after_an_hour(films: list[Movie], own_artifacts: Path) -> None:
    version = train()
    orphans = sorted([f".partial-{name_of_a_failed_run()}", name_of_a_failed_run()])
    folders = [own_artifacts / name for name in (*orphans, "somebody-elses")]
    for folder in folders:
        folder.mkdir()
    assert clean_up().folders == []
    for folder in (*folders, own_artifacts / version.artifact):
        make_old(folder)
    assert sorted(clean_up().folders) == orphans
    assert sorted(os.listdir(own_artifacts)) == sorted(["somebody-elses", version.artifact])


def test_what_another_site_keeps_in_the_same_folders_stays(films: list[Movie], own_artifacts: Path) -> None:
    """Its runs have numbers that ours have too, and began at other moments."""
    version = train()
    _, _, number = version.name.partition("-")
    others = [f"20260101T030000-{number}", ".partial-20260101T030000-78", "20260101T030000-77"]
    for folder in (own_artifacts / others[0], own_artifacts / others[1], corpus_folder() / others[2]):
        folder.mkdir()
        make_old(folder)
    second = train()
    cleaned = clean_up()
    assert (cleaned.folders, cleaned.corpora) == ([], [])
    assert sorted(os.listdir(own_artifacts)) == sorted([*others[:2], version.name, second.name])
    assert sorted(os.listdir(corpus_folder())) == sorted([others[2], second.name])


def test_while_a_run_is_alive_nothing_that_it_may_write_is_touched(
    films: list[Movie], own_artifacts: Path
) -> None:
    train()
    orphan = name_of_a_failed_run()
    request_run(recipe="standard", trigger="test")
    (own_artifacts / orphan).mkdir()
    make_old(own_artifacts / orphan)
    (corpus_folder() / orphan).mkdir()
    assert clean_up().folders == []
    TrainingRun.objects.update(status=TrainingRun.Status.FAILED)
    assert clean_up().corpora == [orphan]


def test_what_nothing_serves_any_more_is_not_kept_of_people(films: list[Movie]) -> None:
    first, second = train(), train()
    activate(version=first)
    assert clean_up().corpora == [second.name]
    assert list(corpus_folder().iterdir()) == []
