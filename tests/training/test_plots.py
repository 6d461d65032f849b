from pathlib import Path

from apps.training.plots import draw_arms


def test_the_same_figures_give_the_same_file(tmp_path: Path) -> None:
    arm = {"ndcg": {"value": 0.1, "error": 0.01}, "coverage": 0.2}
    result = {"arms": {"popular": arm}, "data": ["demo"], "protocol": "last", "k": 10}
    for name in ("first.svg", "second.svg"):
        draw_arms(result, str(tmp_path / name))
    first, second = (tmp_path / name for name in ("first.svg", "second.svg"))
    assert first.read_bytes() == second.read_bytes()
