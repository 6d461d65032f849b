"""The example of ``docs/adding-an-arm.md`` is an arm."""

import re
from pathlib import Path

import numpy as np
import pytest

from apps.algorithms.registry import ARMS
from tests.algorithms import test_registry as registry
from tests.algorithms.contract import ArmContract
from tests.callers import bearer
from tests.factories import make_rating, make_staff
from tests.house import House
from tests.pages.conftest import house, nothing_kept

__all__ = ["house", "nothing_kept"]
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


def test_keeps_what_is_asked_of_every_arm():
    registry.test_every_arm_is_listed_under_its_own_name()
    registry.test_refuses_an_unknown_arm()
    registry.test_defaults_are_json_scalars_that_make_the_same_arm()
    registry.test_every_class_documents_its_parameters()


def test_is_the_last_so_that_the_others_draw_as_before():
    assert list(ARMS)[-1] == "counting"
    registry.test_an_arm_is_the_same_whatever_is_fitted_beside_it()


@pytest.mark.django_db
def test_is_trained_and_serves_a_list_with_its_reasons(house: House):
    staff = make_staff()
    for film in house.horror[:3]:
        make_rating(staff, film, 5.0)
    slate = bearer(staff).send("GET", "/api/v1/movies/recommendations?n=3&algorithm=counting").json()
    assert (slate["degraded"], slate["strategy"]) == (None, "counting")
    for slot in slate["recommendations"]:
        assert (slot["algorithm"], slot["reason"]["kind"]) == ("counting", "because_you_liked")


def test_the_page_says_what_else_an_arm_changes():
    text = DOCUMENT.read_text()
    code = ("apps/algorithms/registry.py", "make schema", "make check")
    for step in (*code, "docs/api.md", "docs/evaluation.md", "docs/algorithms.md", "README.md"):
        assert step in text


def test_counts_likes_in_common():
    from tests.algorithms.contract import make_history
    from tests.algorithms.factories import make_interactions

    rows = [(0, 0, 5.0), (0, 1, 4.0), (1, 0, 4.0), (1, 1, 5.0), (1, 2, 4.0)]
    few = make_interactions([(*row, 0.0) for row in rows], n_users=2, n_items=3)
    arm = ARMS["counting"](damping=0.0).fit(few, np.random.default_rng(1))
    # Of film 1's two likes both, of film 2's one like one, come from people who like film 0.
    assert arm.scores([make_history([0])])[0].round(6).tolist() == [0.0, 1.0, 1.0]
