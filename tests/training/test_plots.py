from pathlib import Path
from typing import Any

import pytest

from apps.core.errors import InvalidInput
from apps.training.plots import draw_arms, require_plotting


def make_result() -> dict[str, Any]:
    arm = {"ndcg": {"value": 0.1, "error": 0.01}, "coverage": 0.2}
    return {"arms": {"popular": arm}, "data": ["demo"], "protocol": "last", "k": 10}


def refusal(file: Path) -> str:
    with pytest.raises(InvalidInput) as refused:
        require_plotting(str(file))
    return refused.value.detail


def test_the_same_figures_give_the_same_file(tmp_path: Path) -> None:
    first, second = tmp_path / "first.svg", tmp_path / "second.svg"
    for file in (first, second):
        draw_arms(make_result(), str(file))
    assert first.read_bytes() == second.read_bytes()
    assert sorted(tmp_path.iterdir()) == [first, second]


def test_asking_for_a_plot_leaves_nothing_behind(tmp_path: Path) -> None:
    require_plotting(str(tmp_path / "arms.svg"))
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no" / "arms.svg") == f"There is no folder {tmp_path / 'no'} to write a plot to"
    folder = tmp_path / "arms.svg"
    folder.mkdir()
    assert refusal(folder) == f"{folder} is a folder: name a file to write a plot to"


def test_refuses_a_folder_that_takes_no_files(tmp_path: Path) -> None:
    # Nobody, root neither, makes files in /proc.
    assert refusal(Path("/proc/arms.svg")) in {
        "Cannot write /proc/arms.svg: No such file or directory",
        "Cannot write /proc/arms.svg: Permission denied",
    }
    file = tmp_path / f"{'a' * 300}.svg"
    assert refusal(file) == f"Cannot write {file}: File name too long"


def test_a_plot_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "arms.svg"
    folder.mkdir()
    with pytest.raises(InvalidInput) as refused:
        draw_arms(make_result(), str(folder))
    assert refused.value.detail == f"Cannot write {folder}: Is a directory"
    assert list(tmp_path.iterdir()) == [folder]
