"""The example of ``docs/adding-an-arm.md`` is an arm."""

import re
from pathlib import Path

import numpy as np
import pytest

from apps.algorithms.registry import ARMS
from tests.algorithms.contract import ArmContract

DOCUMENT = Path(__file__).parents[2] / "docs" / "adding-an-arm.md"


def load_example() -> type:
    code = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert code
    names: dict[str, object] = {"__name__": __name__}
    exec(code[1], names)  # noqa: S102 - our own document
    return names["Counting"]  # type: ignore[return-value]


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(ARMS, "counting", load_example())


class TestExample(ArmContract):
    arm = "counting"


def test_counts_likes_in_common():
    from tests.algorithms.contract import make_history
    from tests.algorithms.factories import make_interactions

    rows = [(0, 0, 5.0), (0, 1, 4.0), (1, 0, 4.0), (1, 1, 5.0), (1, 2, 4.0)]
    few = make_interactions([(*row, 0.0) for row in rows], n_users=2, n_items=3)
    arm = ARMS["counting"](damping=0.0).fit(few, np.random.default_rng(1))
    # Of film 1's two likes both, of film 2's one like one, come from people who like film 0.
    assert arm.scores([make_history([0])])[0].round(6).tolist() == [0.0, 1.0, 1.0]
