import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.training import artifacts
from apps.training.artifacts import (
    ArtifactRefused,
    discard_artifact,
    open_artifact,
    save_artifact,
    verify_artifact,
)

GROUPS = {
    "films": {"ids": np.arange(5, dtype=np.int64), "none": np.zeros((0, 3), dtype=np.float32)},
    "arm_svd": {"factors": np.arange(8, dtype=np.float32).reshape(4, 2)},
}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save_artifact(tmp_path / "v1", GROUPS, {"recipe": "standard"}).path


def refusal(path: Path, action: Any = open_artifact) -> tuple[str, str]:
    with pytest.raises(ArtifactRefused) as caught:
        action(path)
    return caught.value.reason, str(caught.value)


def test_gives_back_what_was_saved(saved: Path) -> None:
    artifact = open_artifact(saved)
    assert artifact.about == {"recipe": "standard"}
    for group, arrays in GROUPS.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(artifact.groups[group][name], array, strict=True)


def test_arrays_are_mapped_and_read_only(saved: Path) -> None:
    factors = open_artifact(saved).groups["arm_svd"]["factors"]
    assert isinstance(factors.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        factors[0, 0] = 1.0


def test_the_manifest_says_what_each_file_must_be(saved: Path) -> None:
    entry = json.loads((saved / "manifest.json").read_text())["arrays"]["arm_svd.factors"]
    raw = (saved / "arm_svd.factors.npy").read_bytes()
    assert entry == {
        "file": "arm_svd.factors.npy",
        "sha256": hashlib.sha256(raw).hexdigest(),
        "shape": [4, 2],
        "dtype": "<f4",
        "bytes": len(raw),
    }


def test_refuses_a_missing_folder_and_a_missing_file(saved: Path) -> None:
    assert refusal(saved.parent / "v2") == ("missing", f"{saved.parent}/v2/manifest.json is missing.")
    (saved / "films.ids.npy").unlink()
    assert refusal(saved) == ("missing", f"{saved}/films.ids.npy is missing.")


def test_refuses_a_truncated_file(saved: Path) -> None:
    file = saved / "films.ids.npy"
    os.truncate(file, 150)
    assert refusal(saved) == ("truncated", f"{file} is truncated: 150 bytes of 168.")


def test_refuses_a_file_that_grew(saved: Path) -> None:
    file = saved / "films.ids.npy"
    file.write_bytes(file.read_bytes() + b"x")
    assert refusal(saved) == ("altered", f"{file} was altered: 169 bytes instead of 168.")


def test_refuses_one_altered_byte_where_size_and_shape_still_hold(saved: Path) -> None:
    file = saved / "arm_svd.factors.npy"
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)
    open_artifact(saved)
    assert refusal(saved, verify_artifact) == ("altered", f"{file} was altered after it was written.")


def test_refuses_an_array_of_another_shape(saved: Path) -> None:
    file = saved / "arm_svd.factors.npy"
    np.save(file, np.zeros((2, 4), dtype=np.float32))
    assert refusal(saved) == ("altered", f"{file} holds <f4 (2, 4) instead of <f4 (4, 2).")


def test_refuses_a_pickle_in_place_of_an_array(saved: Path) -> None:
    file = saved / "films.ids.npy"
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    file.write_bytes(file.read_bytes()[:168].ljust(168, b"."))
    assert refusal(saved) == ("altered", f"{file} is not an array of numbers.")


def test_refuses_a_manifest_that_is_not_the_one_in_the_database(saved: Path) -> None:
    file = saved / "manifest.json"
    digest = open_artifact(saved).manifest_sha256
    file.write_text(file.read_text() + "\n")
    with pytest.raises(ArtifactRefused, match=r"manifest\.json was altered after it was written\."):
        open_artifact(saved, digest)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', "\x00", '{"format": 1, "arrays": '])
def test_refuses_what_is_not_a_manifest(saved: Path, text: str) -> None:
    (saved / "manifest.json").write_text(text)
    assert refusal(saved) == ("altered", f"{saved}/manifest.json is not a manifest of a model.")


def test_refuses_another_format(saved: Path) -> None:
    file = saved / "manifest.json"
    file.write_text(file.read_text().replace('"format": 1', '"format": 2'))
    assert refusal(saved) == ("format", f"{file} is of format 2, not 1: run manage.py train.")


@pytest.mark.parametrize("name", ["../ids", "a.b", "", "Ids", "a/b"])
def test_refuses_names_that_could_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="an array's name is of a-z, 0-9 and _"):
        save_artifact(tmp_path / "v1", {"films": {name: np.zeros(1)}}, {})
    assert list(tmp_path.iterdir()) == []


def test_refuses_to_save_objects_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        save_artifact(tmp_path / "v1", {"films": {"ids": np.array([None])}}, {})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_there_until_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    sync = artifacts._sync
    monkeypatch.setattr(artifacts, "_sync", lambda folder: (seen.append(os.listdir(tmp_path)), sync(folder)))
    save_artifact(tmp_path / "v1", GROUPS, {})
    assert seen == [[".partial-v1"], ["v1"]]


def test_a_mapped_array_outlives_its_files(saved: Path) -> None:
    factors = open_artifact(saved).groups["arm_svd"]["factors"]
    discard_artifact(saved)
    assert not saved.exists()
    assert factors.sum() == 28.0


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space left on device"):
        save_artifact(tmp_path / "v1", GROUPS, {})
    assert list(tmp_path.iterdir()) == []


def is_one_file(one: Path, other: Path) -> bool:
    return os.stat(one).st_ino == os.stat(other).st_ino


def test_an_array_that_stayed_is_the_file_of_the_version_before(saved: Path) -> None:
    before = open_artifact(saved)
    groups = {
        "films": before.groups["films"],
        "arm_svd": {"factors": np.asarray(before.groups["arm_svd"]["factors"]) + 1},
    }
    after = save_artifact(saved.parent / "v2", groups, {}, before=before)
    assert is_one_file(saved / "films.ids.npy", after.path / "films.ids.npy")
    assert not is_one_file(saved / "arm_svd.factors.npy", after.path / "arm_svd.factors.npy")
    np.testing.assert_array_equal(after.groups["arm_svd"]["factors"], GROUPS["arm_svd"]["factors"] + 1)
    assert after.bytes_beside(before) == after.specs["arm_svd.factors"].bytes


def test_an_array_that_was_made_anew_and_is_the_same_is_shared_too(saved: Path) -> None:
    after = save_artifact(saved.parent / "v2", GROUPS, {}, before=open_artifact(saved))
    assert is_one_file(saved / "films.ids.npy", after.path / "films.ids.npy")
    assert after.bytes_beside(open_artifact(saved)) == 0


def test_a_part_of_an_array_is_not_taken_for_the_whole(saved: Path) -> None:
    before = open_artifact(saved)
    part = before.groups["films"]["ids"][:3]
    after = save_artifact(saved.parent / "v2", {"films": {"ids": part}}, {}, before=before)
    assert after.groups["films"]["ids"].tolist() == [0, 1, 2]


def test_what_is_shared_stays_when_the_version_before_goes(saved: Path) -> None:
    after = save_artifact(saved.parent / "v2", GROUPS, {}, before=open_artifact(saved)).path
    discard_artifact(saved)
    verify_artifact(after)


def test_a_disk_without_second_names_gets_copies(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(artifacts.os, "link", refuse)
    after = save_artifact(saved.parent / "v2", GROUPS, {}, before=open_artifact(saved)).path
    assert not is_one_file(saved / "films.ids.npy", after / "films.ids.npy")
    verify_artifact(after)


def test_a_file_that_was_found_right_is_read_again_once_it_changed(saved: Path) -> None:
    verify_artifact(saved)
    file = saved / "films.ids.npy"
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)
    assert refusal(saved, verify_artifact) == ("altered", f"{file} was altered after it was written.")
