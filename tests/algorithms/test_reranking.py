import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.algorithms import metrics
from apps.algorithms.reranking import BestFirst, Diverse, FilmTraits, Reranking, make_picker
from apps.algorithms.top import top_items

NOTHING = np.empty(0, dtype=np.int64)


def make_traits(rng, n_items, *, n_genres=3):
    vectors = rng.normal(size=(n_items, 4)).astype(np.float32)
    return FilmTraits(
        popularity=rng.integers(0, 100, n_items).astype(np.float32),
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        primary_genre=rng.integers(-1, n_genres, n_items).astype(np.int32),
    )


def pick_all(picker, n_slots):
    slate = []
    while len(slate) < n_slots and (pick := picker.pick(slate)) is not None:
        slate.append(pick.item)
    return slate


def twin_traits(**changed):
    """Films 0 and 1 are twins, 2 and 3 unlike all others; all equally popular, each its own genre."""
    values = {
        "popularity": np.ones(4, dtype=np.float32),
        "vectors": np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float32),
        "primary_genre": np.arange(4, dtype=np.int32),
    }
    return FilmTraits(**(values | changed))


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
    # After film 0: film 1 is worth .65 * .9 - .35 * 1 = .235, film 2 .65 * .8 = .52.
    assert pick_all(picker, 3) == [0, 2, 1]


def test_films_placed_by_others_count_too():
    scores = np.array([0.0, 1.0, 0.8, 0.1], dtype=np.float32)
    picker = make_picker(scores, excluded=NOTHING, n_slots=3, reranking=Reranking(twin_traits(), 1.0))
    assert picker.pick([0]).item == 2


def test_popular_films_are_damped():
    traits = twin_traits(popularity=np.array([1000, 0, 0, 0], dtype=np.float32))
    scores = np.array([1.0, 0.99, 0.5, 0.0], dtype=np.float32)
    picker = make_picker(scores, excluded=NOTHING, n_slots=2, reranking=Reranking(traits, 0.5))
    # .65 * 1 - .05 * 1 = .6 against .65 * .99 = .6435
    assert picker.pick([]).item == 1


def test_a_genre_fills_no_more_than_its_cap_unless_nothing_else_is_left():
    # At diversity 1 a genre may hold 30 % of 4 slots, rounded up: two.
    one_direction = np.tile(np.array([[1.0, 0, 0]], dtype=np.float32), (6, 1))
    traits = FilmTraits(
        popularity=np.ones(6, dtype=np.float32),
        vectors=one_direction,
        primary_genre=np.array([7, 7, 7, 7, 2, -1], dtype=np.int32),
    )
    scores = np.array([6, 5, 4, 3, 2, 1], dtype=np.float32)
    picker = make_picker(scores, excluded=NOTHING, n_slots=4, reranking=Reranking(traits, 1.0))
    assert pick_all(picker, 6) == [0, 1, 4, 5, 2, 3]


def test_lists_grow_more_diverse_and_less_alike_in_genre_with_diversity():
    rng = np.random.default_rng(8)
    traits = make_traits(rng, 300)
    scores = (traits.vectors[:, 0] + rng.normal(size=300) * 0.1).astype(np.float32)
    spread = []
    for diversity in (0.0, 0.5, 1.0):
        picker = make_picker(scores, excluded=NOTHING, n_slots=10, reranking=Reranking(traits, diversity))
        spread.append(metrics.intra_list_diversity(pick_all(picker, 10), traits.vectors))
    assert spread[0] < spread[1] < spread[2]


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
