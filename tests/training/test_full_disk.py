"""A disk that takes no more: of the model files, or of what they were learned from."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.core.errors import Unavailable
from apps.training import registry
from apps.training.artifacts import PARTIAL
from apps.training.corpus import corpus_folder
from apps.training.models import ModelUpdateLog, ModelVersion, TrainingRun, UpdateType
from apps.training.services import train
from tests.training.faults import assert_serves, kept, rate

pytestmark = pytest.mark.django_db
DISK_BYTES = 4_000_000
ROOM_BYTES = 20_000
"""Less than the model or the corpus of the tests' public takes, and enough for some of its files."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(folder)]
    if (
        os.geteuid()
        or shutil.which("mount") is None
        or subprocess.run(command, check=False, capture_output=True).returncode
    ):
        pytest.skip("only root may mount a small disk, and not in every container")
    yield folder
    registry.reset()  # which has the files mapped
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(params=["models", "corpora"])
def filled(request: pytest.FixtureRequest, disk: Path, tmp_path: Path, settings: Any) -> Path:
    """The folder of those on the small disk."""
    settings.ARTIFACT_DIR = (disk if request.param == "models" else tmp_path) / "models"
    settings.CORPUS_DIR = (disk if request.param == "corpora" else tmp_path) / "corpora"
    return disk / str(request.param)


def fill(disk: Path) -> Path:
    """The file that takes all of the disk but a little."""
    filler = disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(disk).free - ROOM_BYTES))
    return filler


def assert_failed(live: ModelVersion, refused: Unavailable) -> None:
    run = TrainingRun.objects.latest("id")
    log = ModelUpdateLog.objects.get(run=run)
    assert (run.status, run.error) == ("failed", refused.detail)
    assert (log.success, log.error_message) == (False, refused.detail)
    assert refused.detail.startswith("The disk did not take the version's files (")
    assert refused.detail.endswith(" and fit again. The version before serves on.")
    assert ModelVersion.objects.get() == live
    assert kept() == ([live.artifact], [live.name])
    assert_serves(live)


@pytest.mark.parametrize("update_type", UpdateType)
def test_a_full_disk_fails_the_run_and_once_there_is_room_the_next_succeeds(
    filled: Path, live: ModelVersion, films: list[Any], update_type: UpdateType
) -> None:
    rate(films[-1])
    filler = fill(filled.parent)
    with pytest.raises(Unavailable) as refused:
        train(update_type=update_type)
    assert_failed(live, refused.value)
    filler.unlink()
    version = train(update_type=update_type)
    assert (version.update_type, version.n_ratings) == (update_type, live.n_ratings + 1)
    assert_serves(version)


@pytest.mark.parametrize("update_type", UpdateType)
def test_a_disk_that_fills_while_the_corpus_is_written_leaves_no_model_either(
    live: ModelVersion, films: list[Any], monkeypatch: pytest.MonkeyPatch, update_type: UpdateType
) -> None:
    rate(films[-1])
    sync = os.fsync

    def refuse_corpus(handle: int) -> None:
        if any(corpus_folder().glob(f"{PARTIAL}*")):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse_corpus)
        with pytest.raises(Unavailable) as refused:
            train(update_type=update_type)
    assert_failed(live, refused.value)
    assert train(update_type=update_type).n_ratings == live.n_ratings + 1


def test_a_file_that_the_system_cuts_short_leaves_nothing(
    live: ModelVersion, films: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As numpy tells it: without a number of the system's."""

    def cut_short(*_: Any, **__: Any) -> None:
        raise OSError("1536 requested and 512 written")

    with monkeypatch.context() as patched:
        patched.setattr(np, "save", cut_short)
        with pytest.raises(Unavailable) as refused:
            train()
    assert "(1536 requested and 512 written)" in refused.value.detail
    assert_failed(live, refused.value)
