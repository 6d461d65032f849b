from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.algorithms.reranking import (
    GENRE_CAP,
    GENRE_WEIGHT,
    MMR_WEIGHT,
    SERIES_CAP,
    BestFirst,
    Diverse,
    Reranking,
    Weighing,
    make_picker,
    most_of_a_group,
    tempered,
)
from apps.algorithms.top import top_items
from apps.algorithms.traits import FilmTraits

NOTHING = np.empty(0, dtype=np.int64)


def make_traits(rng, n_items, *, n_genres=3):
    vectors = rng.normal(size=(n_items, 4)).astype(np.float32)
    return FilmTraits(
        popularity=rng.integers(0, 100, n_items).astype(np.float32),
        exposure=rng.random(n_items).astype(np.float32) * 0.1,
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        primary_genre=rng.integers(-1, n_genres, n_items).astype(np.int32),
        series=rng.integers(-1, 20, n_items).astype(np.int32),
        is_niche=rng.random(n_items) < 0.1,
        fresh=rng.random(n_items).astype(np.float32),
    )


def pick_all(picker, n_slots):
    slate = []
    while len(slate) < n_slots and (pick := picker.pick(slate)) is not None:
        slate.append(pick.item)
    return slate


def plain_traits(n_items, **changed):
    """Films of which nothing is known."""
    values = {
        "popularity": np.zeros(n_items, dtype=np.float32),
        "exposure": np.zeros(n_items, dtype=np.float32),
        "vectors": np.zeros((n_items, 3), dtype=np.float32),
        "primary_genre": np.full(n_items, -1, dtype=np.int32),
        "series": np.full(n_items, -1, dtype=np.int32),
        "is_niche": np.zeros(n_items, dtype=np.bool_),
        "fresh": np.zeros(n_items, dtype=np.float32),
    }
    return FilmTraits(**(values | changed))


def twin_traits(**changed):
    """Films 0 and 1 are twins, 2 and 3 unlike all others; each its own genre."""
    vectors = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float32)
    return plain_traits(4, **({"vectors": vectors, "primary_genre": np.arange(4, dtype=np.int32)} | changed))


SCORES = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 0.5000001, 2.0, np.inf, np.nan]), min_size=1, max_size=30)


@given(scores=SCORES, seed=st.integers(0, 2**32 - 1), n_slots=st.integers(1, 30))
def test_diversity_zero_changes_nothing(scores, seed, n_slots):
    rng = np.random.default_rng(seed)
    row = np.array(scores, dtype=np.float32)
    excluded = np.flatnonzero(rng.random(len(row)) < 0.2)
    reranking = Reranking(make_traits(rng, len(row)), 0.0)
    picker = make_picker(row, excluded=excluded, n_slots=n_slots, reranking=reranking, personal=False)
    allowed = row.copy()
    allowed[excluded] = -np.inf
    assert pick_all(picker, n_slots) == top_items(allowed, n_slots).tolist()


@given(scores=SCORES, seed=st.integers(0, 2**32 - 1))
def test_the_formula_itself_at_diversity_zero_is_the_order_of_the_scores(scores, seed):
    row = np.array(scores, dtype=np.float32)
    items = top_items(row, len(row))
    reranking = Reranking(make_traits(np.random.default_rng(seed), len(row)), 0.0)
    diverse = Diverse(items=items, scores=row[items], n_slots=len(row), reranking=reranking)
    assert pick_all(diverse, len(row)) == items.tolist()


@given(seed=st.integers(0, 2**32 - 1), diversity=st.floats(0, 1), n_slots=st.integers(1, 40))
def test_any_diversity_gives_unique_allowed_films_and_runs_out_only_with_the_catalogue(
    seed, diversity, n_slots
):
    rng = np.random.default_rng(seed)
    row, excluded = rng.normal(size=30).astype(np.float32), rng.random(30) < 0.3
    reranking = Reranking(make_traits(rng, 30), diversity)
    slate = pick_all(make_picker(row, excluded=excluded, n_slots=n_slots, reranking=reranking), n_slots)
    assert len(slate) == len(set(slate)) == min(n_slots, 30 - excluded.sum())
    assert not excluded[slate].any()


def test_a_twin_of_a_placed_film_comes_later():
    scores = np.array([1.0, 0.9, 0.8, 0.0], dtype=np.float32)
    picker = make_picker(scores, excluded=NOTHING, n_slots=3, reranking=Reranking(twin_traits(), 0.5))
    # Relevance .84, .58, .32 in deviations; after film 0, film 1 is worth .58 - .75 * .5 * 1 = .20.
    assert pick_all(picker, 3) == [0, 2, 1]


def test_films_placed_by_others_count_too():
    scores = np.array([0.0, 1.0, 0.8, 0.1], dtype=np.float32)
    picker = make_picker(scores, excluded=NOTHING, n_slots=3, reranking=Reranking(twin_traits(), 1.0))
    assert picker.pick([0]).item == 2


LIFTS = [
    # The best film leads by .444 deviations; at diversity .5 each lift counts half.
    ("popularity", [3, 0, 0, 0], "-.5 * log2(1 + 3) * .5 = -.5", 1),
    ("popularity", [1, 0, 0, 0], "-.5 * log2(1 + 1) * .5 = -.25", 0),
    ("exposure", [0.003, 0, 0, 0], "-.5 * log2(1 + 3) * .5 = -.5", 1),
    ("exposure", [0.001, 0, 0, 0], "-.5 * log2(1 + 1) * .5 = -.25", 0),
]


@pytest.mark.parametrize(("trait", "values", "why", "first"), LIFTS)
def test_films_that_many_know_or_would_be_shown_are_damped(trait, values, why, first):
    traits = plain_traits(4, **{trait: np.array(values, dtype=np.float32)})
    scores = np.array([2.0, 1.5, 0.0, -0.8], dtype=np.float32)
    assert scores[:2] @ [1, -1] / scores.std() == pytest.approx(0.444, abs=1e-3)
    picker = make_picker(scores, excluded=NOTHING, n_slots=2, reranking=Reranking(traits, 0.5))
    assert picker.pick([]).item == first, why


def test_niche_films_are_raised():
    traits = plain_traits(3, is_niche=np.array([False, True, False]))
    scores = np.array([1.0, 0.9, 0.0], dtype=np.float32)
    picker = make_picker(scores, excluded=NOTHING, n_slots=1, reranking=Reranking(traits, 0.5))
    # .9 is .22 deviations below 1, and a niche film gains .75 * .5.
    assert picker.pick([]).item == 1


def test_each_film_of_a_genre_costs_the_next_one():
    traits = plain_traits(4, primary_genre=np.array([7, 7, 7, 2], dtype=np.int32))
    reranking = Reranking(traits, 1.0)
    # Film 3 is .21 and .27 deviations behind film 1: each film of the genre on the slate costs .25.
    for behind, expected in [(0.72, [0, 3, 1, 2]), (0.7, [0, 1, 3, 2])]:
        scores = np.array([1.0, 0.8, 0.0, behind], dtype=np.float32)
        assert pick_all(make_picker(scores, excluded=NOTHING, n_slots=40, reranking=reranking), 4) == expected


def test_a_genre_fills_no_more_than_its_cap_unless_nothing_else_is_left():
    # At diversity 1 a genre may hold 30 % of 4 slots, rounded up: two.
    one_direction = np.tile(np.array([[1.0, 0, 0]], dtype=np.float32), (6, 1))
    genres = np.array([7, 7, 7, 7, 2, -1], dtype=np.int32)
    traits = plain_traits(6, vectors=one_direction, primary_genre=genres)
    scores = np.array([6, 5, 4, 3, 2, 1], dtype=np.float32)
    picker = make_picker(scores, excluded=NOTHING, n_slots=4, reranking=Reranking(traits, 1.0))
    assert pick_all(picker, 6) == [0, 1, 4, 5, 2, 3]


def test_a_series_fills_no_more_than_its_cap_unless_nothing_else_is_left():
    traits = plain_traits(6, series=np.array([3, 3, 3, 3, -1, -1], dtype=np.int32))
    scores = np.array([6, 5, 4, 3, 2, 1], dtype=np.float32)
    # Of ten slots 1 - 2 * .5 is none, and one at least is allowed; 1 - 2 * .4 is two.
    for diversity, expected in [(0.5, [0, 4, 5, 1, 2, 3]), (0.4, [0, 1, 4, 5, 2, 3])]:
        reranking = Reranking(traits, diversity)
        picker = make_picker(scores, excluded=NOTHING, n_slots=10, reranking=reranking)
        assert pick_all(picker, 6) == expected


@pytest.mark.parametrize(
    ("cap", "diversity", "n_slots", "most"),
    [
        (GENRE_CAP, 1.0, 10, 3),
        (GENRE_CAP, 1.0, 20, 6),
        (GENRE_CAP, 0.4, 10, 8),
        (SERIES_CAP, 0.35, 10, 3),
        (SERIES_CAP, 0.4, 10, 2),
        (SERIES_CAP, 0.5, 10, 1),
        (SERIES_CAP, 1.0, 10, 1),
    ],
)
def test_a_share_of_the_slots_is_rounded_up_and_not_its_rounding_error(cap, diversity, n_slots, most):
    assert most_of_a_group(n_slots, cap * diversity) == most


def test_three_of_ten_films_are_of_one_series_where_the_share_is_three():
    traits = plain_traits(12, series=np.array([3] * 5 + [-1] * 7, dtype=np.int32))
    scores = np.arange(12, 0, -1, dtype=np.float32)
    picker = make_picker(scores, excluded=NOTHING, n_slots=10, reranking=Reranking(traits, 0.35))
    assert pick_all(picker, 10) == [0, 1, 2, 5, 6, 7, 8, 9, 10, 11]


def test_lists_reach_further_with_diversity():
    # Three directions of ten films each, the second .23 and the third .46 deviations behind the first.
    direction = np.repeat(np.arange(3), 10)
    traits = plain_traits(31, vectors=np.eye(3, dtype=np.float32)[[*direction, 0]])
    scores = np.array([*np.array([1.0, 0.9, 0.8])[direction], -1.5], dtype=np.float32)
    reached = []
    for diversity in (0.0, 0.5, 1.0):
        reranking = Reranking(traits, diversity)
        picked = pick_all(make_picker(scores, excluded=NOTHING, n_slots=10, reranking=reranking), 10)
        reached.append(len(set(direction[picked].tolist())))
    assert (scores[0] - scores[[10, 20]]) / scores.std() == pytest.approx([0.232, 0.463], abs=0.001)
    assert reached == [1, 2, 3]


def test_equal_films_are_picked_in_order_of_their_index():
    traits = twin_traits(vectors=np.zeros((4, 3), dtype=np.float32))
    reranking = Reranking(traits, 1.0)
    picker = make_picker(np.ones(4, dtype=np.float32), excluded=NOTHING, n_slots=4, reranking=reranking)
    assert pick_all(picker, 4) == [0, 1, 2, 3]


def test_a_pick_carries_the_score_of_the_arm():
    scores = np.array([0.25, 3.5], dtype=np.float32)
    assert make_picker(scores, excluded=NOTHING, n_slots=1).pick([]) == (1, 3.5)


def test_a_row_of_zeros_is_nothing_to_place_for_a_personal_arm_alone():
    zeros = np.zeros(3, dtype=np.float32)
    assert make_picker(zeros, excluded=NOTHING, n_slots=3).pick([]) is None
    assert make_picker(zeros, excluded=NOTHING, n_slots=3, personal=False).pick([]).item == 0


def test_diversity_grows_with_what_is_known_of_the_viewer():
    assert [tempered(0.5, n) for n in (0, 15, 135)] == pytest.approx([0, 0.25, 0.45])
    assert tempered(1.0, 10**9) == pytest.approx(1)


def test_an_empty_shortlist_has_no_film_at_any_diversity():
    everything = np.ones(4, dtype=np.bool_)
    for diversity in (0.0, 1.0):
        reranking = Reranking(twin_traits(), diversity)
        picker = make_picker(
            np.ones(4, dtype=np.float32), excluded=everything, n_slots=2, reranking=reranking
        )
        assert picker.pick([]) is None


def test_the_scores_of_the_arm_are_left_alone():
    scores = np.array([0.5, 1.0], dtype=np.float32)
    scores.setflags(write=False)
    make_picker(scores, excluded=np.array([1]), n_slots=1)
    assert scores.tolist() == [0.5, 1.0]


def test_best_first_skips_what_others_placed():
    picker = BestFirst(items=np.array([4, 2, 9]), scores=np.array([3, 2, 1], dtype=np.float32))
    assert picker.pick([4, 2]) == (9, 1.0)


def test_refuses_unknown_films_among_the_excluded_and_diversity_over_one():
    with pytest.raises(
        ValueError, match=r"^excluded films must be indices of the catalogue; drop unknown films first$"
    ):
        make_picker(np.ones(3, dtype=np.float32), excluded=np.array([-1]), n_slots=1)
    with pytest.raises(ValueError, match=r"^diversity must lie between 0 and 1, not 1\.5$"):
        Reranking(twin_traits(), 1.5)


@given(seed=st.integers(0, 50), diversity=st.floats(0.01, 0.25))
def test_the_terms_of_the_film_picked_add_up_to_more_than_those_of_any_other(seed, diversity):
    rng = np.random.default_rng(seed)
    traits, scores = make_traits(rng, 30, n_genres=30), rng.normal(size=30).astype(np.float32)
    # Every film of a series of its own and few of a genre: no cap interferes.
    traits = replace(traits, series=np.arange(30, dtype=np.int32))
    picker = make_picker(scores, excluded=NOTHING, n_slots=30, reranking=Reranking(traits, diversity))
    slate = []
    for _ in range(5):
        weighed = {item: picker.weigh(item, slate) for item in range(30) if item not in slate}
        sums = {item: one.relevance + one.lift + one.likeness + one.genre for item, one in weighed.items()}
        picked = picker.pick(slate).item
        assert sums[picked] == pytest.approx(max(sums.values()), abs=1e-5)
        assert weighed[picked].place == 1 + int((scores > scores[picked]).sum())
        slate.append(picked)


def test_a_twin_above_and_its_genre_speak_against_a_film():
    traits = twin_traits(primary_genre=np.array([4, 4, 2], dtype=np.int32))
    scores = np.array([3.0, 2.9, 1.0], dtype=np.float32)
    picker = make_picker(scores, excluded=NOTHING, n_slots=3, reranking=Reranking(traits, 0.4))
    alone, beside = picker.weigh(1, []), picker.weigh(1, [0])
    assert (alone.place, alone.likeness, alone.genre) == (2, 0, 0)
    assert beside.likeness == pytest.approx(-MMR_WEIGHT * 0.4)
    assert beside.genre == pytest.approx(-GENRE_WEIGHT * 0.4)
    assert (beside.relevance, beside.lift) == (alone.relevance, alone.lift)


def test_an_arm_that_keeps_its_own_order_weighs_by_place_alone():
    picker = make_picker(np.array([1.0, 3.0, 2.0], dtype=np.float32), excluded=NOTHING, n_slots=2)
    assert picker.weigh(2, []) == Weighing(place=2)
    assert picker.weigh(0, []) is None
