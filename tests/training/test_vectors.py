"""The cache: whole or not at all."""

import json
import logging
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.training.artifacts import MANIFEST, save_artifact
from apps.training.vectors import keep_vectors, read_vectors, vector_folder

KEYS = [bytes([number]) * 32 for number in range(3)]
ROWS = np.eye(3, dtype=np.float32)


def kept() -> list[Path]:
    return sorted(vector_folder().iterdir())


def test_gives_back_what_it_keeps() -> None:
    keep_vectors("lsa", "f1", KEYS, ROWS)
    found = read_vectors("lsa", "f1")
    assert list(found.spots) == KEYS
    np.testing.assert_array_equal(found.rows, ROWS)


def test_lies_beside_the_model_files_or_where_the_settings_say(
    own_artifacts: Path, tmp_path: Path, settings: Any
) -> None:
    assert vector_folder() == own_artifacts.parent / "artifacts-vectors"
    settings.VECTOR_DIR = tmp_path / "elsewhere"
    assert vector_folder() == tmp_path / "elsewhere"


def test_knows_nothing_of_another_encoder_or_fingerprint() -> None:
    keep_vectors("lsa", "f1", KEYS, ROWS)
    assert read_vectors("lsa", "f2").spots == read_vectors("minilm", "f1").spots == {}
    assert read_vectors("lsa", "f2").rows.shape == (0, 0)


def test_the_newest_is_found_whatever_made_it() -> None:
    keep_vectors("lsa", "f1", KEYS, ROWS)
    assert list(read_vectors("lsa").spots) == KEYS


def test_keeps_one_folder_an_encoder() -> None:
    for fingerprint in ("f1", "f2", "f3"):
        keep_vectors("lsa", fingerprint, KEYS, ROWS)
    keep_vectors("minilm", "f1", KEYS[:1], ROWS[:1])
    assert [path.name.split("-")[0] for path in kept()] == ["lsa", "minilm"]
    assert len(read_vectors("lsa", "f3").spots) == 3


def test_keeps_vectors_without_columns_and_no_vectors() -> None:
    keep_vectors("lsa", "f1", KEYS, ROWS[:, :0])
    keep_vectors("minilm", "f1", [], ROWS[:0])
    assert read_vectors("lsa", "f1").rows.shape == (3, 0)
    assert read_vectors("minilm", "f1").rows.shape == (0, 3)


@pytest.mark.parametrize("file", ["films.vectors.npy", "films.keys.npy", MANIFEST])
@pytest.mark.parametrize("harm", ["cut", "changed", "gone"])
def test_passes_over_a_folder_that_is_damaged_and_says_so(
    file: str, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    keep_vectors("lsa", "f1", KEYS, ROWS)
    damaged = kept()[0] / file
    content = damaged.read_bytes()
    if harm == "gone":
        damaged.unlink()
    else:
        damaged.write_bytes(content[:-9] if harm == "cut" else content[:-1] + b"~")
    with caplog.at_level(logging.WARNING):
        assert read_vectors("lsa", "f1").spots == {}
    # Without its manifest a folder is none.
    assert ("vectors_refused" in caplog.text) == (file != MANIFEST or harm != "gone")


@pytest.mark.parametrize(
    "arrays",
    [
        {"keys": np.zeros((3, 32), np.uint8), "vectors": np.full((3, 3), np.nan, np.float32)},
        {"keys": np.zeros((2, 32), np.uint8), "vectors": ROWS},
        {"keys": np.zeros((3, 32), np.uint8), "vectors": ROWS.astype(np.float64)},
        {"keys": np.zeros((3, 32), np.int64), "vectors": ROWS},
        {"vectors": ROWS},
    ],
)
def test_passes_over_what_is_no_cache(arrays: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    save_artifact(vector_folder() / "lsa-foreign", {"films": arrays}, {"fingerprint": "f1"})
    assert read_vectors("lsa", "f1").spots == {}
    assert "vectors_refused" in caplog.text


def test_passes_over_what_stands_where_a_manifest_should() -> None:
    folder = vector_folder() / "lsa-foreign"
    folder.mkdir(parents=True)
    for content in ("[]", "{}", json.dumps({"format": 1, "arrays": [], "about": []}), "\0"):
        (folder / MANIFEST).write_text(content)
        assert read_vectors("lsa", "f1").spots == {}


def test_a_disk_that_refuses_leaves_what_was_kept_before(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_vectors("lsa", "f1", KEYS, ROWS)
    before = kept()

    def no_space(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space left"):
        keep_vectors("lsa", "f2", KEYS, ROWS)
    assert kept() == before
    assert len(read_vectors("lsa", "f1").spots) == 3


def test_removes_what_a_killed_write_left() -> None:
    old, young = (vector_folder() / f".partial-lsa-{name}" for name in ("old", "young"))
    for folder, age in ((old, 2 * 3600), (young, 60)):
        folder.mkdir(parents=True)
        os.utime(folder, (time.time() - age,) * 2)
    keep_vectors("lsa", "f1", KEYS, ROWS)
    assert not old.exists()
    assert young.exists()


def test_a_reader_keeps_its_rows_while_another_writes() -> None:
    keep_vectors("lsa", "f1", KEYS, ROWS)
    found = read_vectors("lsa", "f1")
    keep_vectors("lsa", "f2", KEYS[:1], ROWS[:1])
    np.testing.assert_array_equal(found.rows, ROWS)
