import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.algorithms.bandits.state import BanditState
from apps.algorithms.bandits.thompson import ThompsonSampler

N_CONTEXTS, N_ARMS = 4, 3
SAMPLER = ThompsonSampler("abc", (2, 2), half_life=10)


def changed(state, change):
    kind, context, arm, weight = change
    if kind == "shown":
        return SAMPLER.shown(state, context, arm, weight)
    if kind == "drawn":
        return SAMPLER.drawn(state, arm, weight)
    return SAMPLER.reward(state, context, arm, 1 if kind == "success" else -1, weight)


def after(changes):
    state = SAMPLER.new_state()
    for change in changes:
        state = changed(state, change)
    return state


def sums(state):
    return [array.tolist() for array in (state.shown, state.successes, state.first_draws)]


# Whole weights add up exactly in any order.
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["shown", "drawn", "success", "no success"]),
        st.integers(0, N_CONTEXTS - 1),
        st.integers(0, N_ARMS - 1),
        st.integers(1, 8).map(float),
    ),
    max_size=30,
)


@given(CHANGES, st.randoms(use_true_random=False))
def test_changes_add_up_in_any_order(changes, random):
    shuffled = random.sample(changes, len(changes))
    assert sums(after(shuffled)) == sums(after(changes))


@given(CHANGES)
def test_a_change_leaves_the_state_before_as_it_was(changes):
    state = after(changes)
    before = sums(state)
    for kind in ("shown", "drawn", "success", "no success"):
        assert changed(state, (kind, 1, 2, 3.0)) is not state
    assert sums(state) == before


def test_a_success_that_is_taken_back_leaves_nothing():
    state = after([("shown", 1, 2, 2.0), ("success", 1, 2, 2.0)])
    assert state.successes[1, 2] == 2
    assert changed(state, ("no success", 1, 2, 2.0)).successes.sum() == 0


def test_a_success_told_before_its_film_was_shown_counts_as_one_shown():
    successes, trials = after([("success", 0, 0, 1.0)]).trials
    assert (successes[0, 0], trials[0, 0]) == (1, 1)
    successes, trials = after([("no success", 0, 0, 1.0)]).trials
    assert (successes[0, 0], trials[0, 0]) == (0, 0)


def test_shares_are_of_first_draws_and_nothing_before_the_first():
    assert SAMPLER.new_state().shares.tolist() == [0, 0, 0]
    state = after([("drawn", 0, 0, 3.0), ("drawn", 0, 2, 1.0)])
    assert state.shares.tolist() == [0.75, 0, 0.25]
    assert state.n_draws == 4


def test_draws_are_counted_in_draws_of_now():
    state = BanditState(np.zeros((1, 1)), np.zeros((1, 1)), np.array([6.0]), draw_unit=2.0)
    assert state.n_draws == 3


def test_a_slate_weighs_twice_as_much_a_half_life_later():
    assert [SAMPLER.weight(elapsed) for elapsed in (0, 10, 30, -10)] == [1, 2, 8, 0.5]
    assert ThompsonSampler("abc").weight(1e9) == 1


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans(), st.integers(0, 60)),
        min_size=1,
        max_size=40,
    )
)
def test_weights_that_grow_believe_what_sums_that_shrink_do(events):
    now = 60
    forward = SAMPLER.new_state()
    shown, successes = np.zeros((N_CONTEXTS, N_ARMS)), np.zeros((N_CONTEXTS, N_ARMS))
    for context, arm, is_success, moment in events:
        forward = SAMPLER.shown(forward, context, arm, SAMPLER.weight(moment))
        shown[context, arm] += 0.5 ** ((now - moment) / 10)
        if is_success:
            forward = SAMPLER.reward(forward, context, arm, 1, SAMPLER.weight(moment))
            successes[context, arm] += 0.5 ** ((now - moment) / 10)
    forward = BanditState(forward.shown, forward.successes, forward.first_draws, unit=SAMPLER.weight(now))
    backward = BanditState(shown, successes, np.zeros(N_ARMS))
    beliefs = [SAMPLER.beliefs(state) for state in (forward, backward)]
    assert beliefs[0].alpha == pytest.approx(beliefs[1].alpha, rel=1e-6)
    assert beliefs[0].beta == pytest.approx(beliefs[1].beta, rel=1e-6)
