from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.algorithms.drafting import (
    FALLBACK,
    Slot,
    draft,
    draw_owners,
    draw_weighted_owners,
    equal_slot_probabilities,
    slot_propensities,
)
from apps.algorithms.reranking import Reranking, make_picker
from apps.algorithms.traits import FilmTraits

NOTHING = np.empty(0, dtype=np.int64)
N_DRAWS = 4000


def make_pickers(rows, *, n_slots, excluded=NOTHING, reranking=None):
    return [
        make_picker(np.array(row, dtype=np.float32), excluded=excluded, n_slots=n_slots, reranking=reranking)
        for row in rows
    ]


@given(n_owners=st.integers(1, 6), n_slots=st.integers(0, 40), seed=st.integers(0, 2**32 - 1))
def test_owners_share_the_slots_equally_up_to_one(n_owners, n_slots, seed):
    owners = draw_owners(n_owners, n_slots, np.random.default_rng(seed))
    counts = np.bincount(owners, minlength=n_owners)
    assert len(owners) == n_slots
    assert len(counts) == n_owners
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize(("n_owners", "n_slots"), [(3, 20), (3, 2), (4, 6)])
def test_every_slot_goes_to_every_owner_as_often_as_stated(n_owners, n_slots):
    rng = np.random.default_rng(11)
    draws = np.array([draw_owners(n_owners, n_slots, rng) for _ in range(N_DRAWS)])
    seen = np.stack([(draws == owner).mean(axis=0) for owner in range(n_owners)], axis=1)
    stated = equal_slot_probabilities(n_slots, n_owners)
    # Five standard deviations for each of at most 60 cells: by chance once in 28,000.
    assert np.abs(seen - stated).max() < 5 * np.sqrt(stated[0, 0] * (1 - stated[0, 0]) / N_DRAWS)


def test_weighted_owners_are_drawn_by_weight_independently_of_the_slot():
    weights = [0.5, 0.2, 0.3]
    draws = np.array(
        [draw_weighted_owners(weights, 5, np.random.default_rng(seed)) for seed in range(N_DRAWS)]
    )
    seen = np.stack([(draws == owner).mean(axis=0) for owner in range(3)], axis=1)
    # Five standard deviations for each of 15 cells: by chance once in 116,000.
    assert np.abs(seen - weights).max() < 5 * 0.5 / N_DRAWS**0.5


def test_a_single_weighted_owner_has_every_slot_and_takes_no_draw():
    rng = np.random.default_rng(1)
    before = rng.bit_generator.state
    assert draw_weighted_owners([1.0], 3, rng).tolist() == [0, 0, 0]
    assert rng.bit_generator.state == before


def test_propensities_sum_over_ranks():
    # Three arms, two ranks; the first slot always belongs to the first drawn.
    ranks = np.array([[0.6, 0.3], [0.3, 0.4], [0.1, 0.3]])
    slots = np.array([[1.0, 0.0], [0.5, 0.5]])
    assert slot_propensities(ranks, slots) == pytest.approx(np.array([[0.6, 0.3, 0.1], [0.45, 0.35, 0.2]]))


def test_propensities_of_a_drawn_order_are_what_is_seen():
    rng = np.random.default_rng(2)
    orders = [(0, 1), (1, 0), (2, 0)]
    chances = np.array([0.5, 0.3, 0.2])
    ranks = np.zeros((3, 2))
    for order, chance in zip(orders, chances, strict=True):
        ranks[order[0], 0] += chance
        ranks[order[1], 1] += chance
    stated = slot_propensities(ranks, equal_slot_probabilities(5, 2))
    drawn = [np.array(orders[rng.choice(3, p=chances)])[draw_owners(2, 5, rng)] for _ in range(N_DRAWS)]
    seen = np.stack([(np.array(drawn) == arm).mean(axis=0) for arm in range(3)], axis=1)
    # Five standard deviations for each of 15 cells: by chance once in 116,000.
    assert np.abs(seen - stated).max() < 5 * 0.5 / N_DRAWS**0.5


def test_refuses_propensities_that_do_not_fit_or_do_not_sum_to_one():
    with pytest.raises(ValueError, match=r"^both must have one column per rank$"):
        slot_propensities(np.ones((2, 3)) / 2, np.ones((4, 2)) / 2)
    with pytest.raises(ValueError, match=r"the probabilities must sum to 1$"):
        slot_propensities(np.ones((2, 2)), np.ones((4, 2)) / 2)


def test_refuses_a_slate_without_owners():
    with pytest.raises(ValueError, match=r"^a slate needs at least one owner$"):
        draw_owners(0, 5, np.random.default_rng(1))


def test_each_owner_places_its_best_film_that_is_left():
    pickers = make_pickers([[3, 2, 1, 0.5], [3, 1, 2, 0.5]], n_slots=4)
    slots = draft(np.array([0, 1, 1, 0]), pickers)
    assert slots == [
        Slot(item=0, owner=0, placed_by=0, score=3.0),
        Slot(item=2, owner=1, placed_by=1, score=2.0),
        Slot(item=1, owner=1, placed_by=1, score=1.0),
        Slot(item=3, owner=0, placed_by=0, score=0.5),
    ]
    assert not any(slot.passed for slot in slots)


def test_an_owner_without_films_passes_to_the_next_that_has_one():
    pickers = make_pickers([[1, 2, 3], [0, 0, 0], [3, 2, 1]], n_slots=3)
    slots = draft(np.array([1, 0]), pickers)
    assert [(slot.item, slot.placed_by, slot.passed) for slot in slots] == [(0, 2, True), (2, 0, False)]


def test_the_fallback_fills_what_no_arm_can():
    fallback = make_picker(np.array([9, 8, 7], dtype=np.float32), excluded=NOTHING, n_slots=3, personal=False)
    [slot, *rest] = draft(np.array([0, 0]), make_pickers([[0, 0, 0]], n_slots=2), fallback)
    assert slot == Slot(item=0, owner=0, placed_by=FALLBACK, score=9.0)
    assert slot.passed
    assert [other.item for other in rest] == [1]


def test_a_slate_is_short_only_when_the_catalogue_has_no_more():
    pickers = make_pickers([[3, 2, 1]], n_slots=5, excluded=np.array([1]))
    assert [slot.item for slot in draft(np.zeros(5, dtype=np.int64), pickers)] == [0, 2]


@dataclass(frozen=True)
class Case:
    """Owners, a row of scores per arm, what may not be placed, and a diversity."""

    owners: np.ndarray
    rows: np.ndarray
    excluded: np.ndarray
    reranking: Reranking

    def placeable(self, arm):
        """The films that the arm could place on an empty slate, bool ``(n_items,)``."""
        row = self.rows[arm]
        return np.isfinite(row) & ~self.excluded & row.any()

    def draft(self):
        pickers = make_pickers(
            self.rows, n_slots=len(self.owners), excluded=self.excluded, reranking=self.reranking
        )
        return draft(self.owners, pickers)


@st.composite
def cases(draw, max_diversity=1.0):
    n_items, n_arms = draw(st.integers(1, 40)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = rng.choice([-np.inf, np.nan, -1.0, 0.0, 0.5, 1.0, 2.0], size=(n_arms, n_items)).astype(np.float32)
    rows[rng.random(n_arms) < 0.2] = 0
    vectors = rng.normal(size=(n_items, 3)).astype(np.float32)
    traits = FilmTraits(
        popularity=np.arange(n_items, dtype=np.float32),
        exposure=np.linspace(0, 1, n_items, dtype=np.float32),
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        primary_genre=(np.arange(n_items) % 4).astype(np.int32),
        series=(np.arange(n_items) % 9 - 1).astype(np.int32),
        is_niche=np.arange(n_items) % 7 == 0,
        fresh=np.linspace(0, 1, n_items, dtype=np.float32),
    )
    owners = draw_owners(n_arms, draw(st.integers(1, 25)), rng)
    return Case(owners, rows, rng.random(n_items) < 0.3, Reranking(traits, draw(st.floats(0, max_diversity))))


@given(case=cases())
def test_films_are_unique_and_as_many_as_anybody_can_place(case):
    items = [slot.item for slot in case.draft()]
    placeable = np.any([case.placeable(arm) for arm in range(len(case.rows))], axis=0)
    assert len(set(items)) == len(items) == min(len(case.owners), placeable.sum())
    assert placeable[items].all()


@given(case=cases())
def test_owners_stay_as_drawn_and_pass_only_with_nothing_left(case):
    left = ~case.excluded
    for owner, slot in zip(case.owners, case.draft(), strict=False):
        assert slot.owner == owner
        assert slot.score == case.rows[slot.placed_by, slot.item]
        assert slot.passed == (not (case.placeable(owner) & left).any())
        left[slot.item] = False


@given(case=cases(max_diversity=0.0))
def test_without_diversity_an_owner_places_its_highest_score_that_is_left(case):
    left = ~case.excluded
    for slot in case.draft():
        row = np.where(case.placeable(slot.placed_by) & left, case.rows[slot.placed_by], -np.inf)
        assert slot.item == row.argmax()
        left[slot.item] = False
