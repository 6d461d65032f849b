"""What a refit must reach beside the version that serves."""

import numpy as np
import pytest

from apps.training.models import UpdateType
from apps.training.services import sanity
from apps.training.services.sanity import Check, Lists, Member, compare_lists

NOBODY = np.empty(0)


def panel_of(n_people: int) -> list[Member]:
    return [Member(NOBODY, NOBODY, frozenset({1})) for _ in range(n_people)]


def checked(ours: list[list[int]], live: list[list[int]], update_type: UpdateType) -> dict[str, Check]:
    checks = compare_lists(Lists(ours, 100), Lists(live, 100), panel_of(len(live)), update_type)
    return {check.name: check for check in checks}


def test_the_same_lists_pass() -> None:
    lists = [[1, 2, 3], [4, 1, 5]]
    assert all(check.passed for check in checked(lists, lists, UpdateType.WARM_START).values())


@pytest.mark.parametrize(("update_type", "least"), [("warm_start_rebuild", 0.99), ("full_retrain", 0.98)])
def test_of_many_people_an_update_may_lose_a_hundredth_and_a_retrain_two(
    update_type: str, least: float
) -> None:
    """Of 100 people some lose the one film that they liked, which alone made their nDCG 1."""
    live = [[1, 2, 3]] * 100
    for n_lost, passes in ((round(100 * (1 - least)), True), (round(100 * (1 - least)) + 1, False)):
        ours = [[2, 3, 4]] * n_lost + live[n_lost:]
        found = checked(ours, live, UpdateType(update_type))["nDCG@10"]
        assert (found.limit, found.passed) == (least, passes)


def test_of_few_people_one_list_does_not_decide() -> None:
    live = [[1, 2, 3]] * 20
    found = checked([[2, 3, 4], *live[1:]], live, UpdateType.WARM_START)["nDCG@10"]
    assert (found.figure, found.limit, found.passed) == (0.95, 0.9, True)
    assert len(live) < sanity.FEW


def test_other_lists_fail_however_good_they_are() -> None:
    live, ours = [[1, 2, 3, 4, 5]] * 3, [[1, 12, 13, 14, 15]] * 3
    overlap = checked(ours, live, UpdateType.WARM_START)["overlap"]
    assert (overlap.figure, overlap.passed) == (0.2, False)
    assert str(overlap) == "overlap is 0.2000, less than 0.6000"


def test_fewer_films_fail() -> None:
    live = [[1, person + 2, person + 12] for person in range(10)]
    ours = [[1, 2, person + 12] for person in range(10)]
    coverage = checked(ours, live, UpdateType.FULL)["coverage"]
    assert (coverage.figure, coverage.limit, coverage.passed) == (0.12, 0.189, False)


def test_without_anybody_to_ask_nothing_is_compared_but_lists() -> None:
    checks = compare_lists(
        Lists([[1]], 10), Lists([[1]], 10), [Member(NOBODY, NOBODY, frozenset())], UpdateType.FULL
    )
    assert [check.name for check in checks] == ["overlap", "coverage"]
