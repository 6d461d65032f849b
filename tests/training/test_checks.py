from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks


def found(settings: Any, **changes: object) -> list[str]:
    for name, value in changes.items():
        setattr(settings, name, value)
    return [f"{problem.id} {problem.msg}" for problem in run_checks() if problem.id.startswith("training.")]


def test_finds_nothing_wrong_with_the_defaults(settings: Any) -> None:
    assert found(settings) == []


def test_finds_an_encoder_that_there_is_not(settings: Any) -> None:
    assert found(settings, TEXT_ENCODER="word2vec") == [
        "training.E001 TEXT_ENCODER is 'word2vec', and there is no such encoder"
    ]


def test_finds_a_weight_out_of_range(settings: Any) -> None:
    assert found(settings, POSTER_WEIGHT=1.5) == [
        "training.E002 POSTER_WEIGHT must lie between 0 and 1, not 1.5"
    ]


def test_finds_a_folder_of_vectors_that_is_a_file(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert found(settings, VECTOR_DIR=tmp_path / "file") == [
        f"training.E003 VECTOR_DIR names {tmp_path / 'file'}, which is a file: no vector can be kept"
    ]


@pytest.mark.parametrize("name", ["gone", "long" * 100])
def test_warns_of_folders_that_are_not_there(settings: Any, tmp_path: Path, name: str) -> None:
    gone = tmp_path / name
    says = f"names {gone}, and there is no such folder: films that are new have no vectors of it"
    lines = found(
        settings, TEXT_ENCODER="minilm", TEXT_ENCODER_PATH=gone, POSTER_ENCODER_PATH=gone, POSTER_DIR=gone
    )
    names = ("TEXT_ENCODER_PATH", "POSTER_ENCODER_PATH", "POSTER_DIR")
    assert [line for line in lines if "W002" not in line] == [
        f"training.W001 {name} {says}" for name in names
    ]


def test_warns_of_posters_that_only_half_is_set_of(settings: Any, tmp_path: Path) -> None:
    assert found(settings, POSTER_DIR=tmp_path) == [
        "training.W003 Of POSTER_DIR and POSTER_ENCODER_PATH only one is set: no poster is looked at"
    ]


def test_warns_of_packages_that_are_missing(settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("apps.training.checks.find_spec", lambda name: None)
    assert found(settings, TEXT_ENCODER="minilm") == [
        "training.W002 TEXT_ENCODER or POSTER_ENCODER_PATH needs packages that are missing"
    ]
