import re

import numpy as np
import pytest
from scipy.special import betainc

from apps.algorithms.bandits.state import BanditState
from apps.algorithms.bandits.thompson import MIN_DRAWS, SURE, ThompsonSampler

N_DRAWS = 6_000


def make_state(successes, trials, first_draws=None, draw_unit=1.0):
    """Of as many contexts as rows; of one where there is a single row."""
    trials = np.atleast_2d(np.asarray(trials, dtype=np.float64))
    first = np.zeros(trials.shape[1]) if first_draws is None else np.asarray(first_draws, dtype=np.float64)
    successes = np.atleast_2d(np.asarray(successes, dtype=np.float64))
    return BanditState(trials, successes, first, draw_unit=draw_unit)


# Of three arms the first is likely the best, and not surely so.
LIKELY = {"successes": [60, 48, 44], "trials": [300, 300, 300]}
SURELY = {"successes": [6000, 4800, 4400], "trials": [30_000] * 3}
MOSTLY_FIRST = [90, 6, 4]


def make_sampler(**parameters):
    return ThompsonSampler("abc", (1,), **parameters)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"arms": ()}, "a bandit needs at least one arm"),
        ({"context_sizes": (4, 0)}, "every part of a context needs a value"),
        ({"alpha": 0}, "alpha and beta must be above 0"),
        ({"beta": -1}, "alpha and beta must be above 0"),
        ({"sharpness": 0}, "sharpness must lie above 0 and up to 1, not at 0"),
        ({"sharpness": 1.5}, "sharpness must lie above 0 and up to 1, not at 1.5"),
        ({"half_life": 0}, "a half-life must be above 0, not 0"),
        ({"explore": -0.1}, "explore must lie between 0 and 1, not at -0.1"),
        ({"explore": float("nan")}, "explore must lie between 0 and 1, not at nan"),
        ({"max_share": 0}, "max_share must lie above 0 and up to 1, not at 0"),
        ({"max_share": 1.2}, "max_share must lie above 0 and up to 1, not at 1.2"),
    ],
)
def test_refuses_parameters_out_of_range(parameters, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        ThompsonSampler(**{"arms": "abc", **parameters})


@pytest.mark.parametrize(
    ("context", "k", "sentence"),
    [
        (1, 1, "there is no context 1"),
        (-1, 1, "there is no context -1"),
        (0, 0, "at least one arm must be drawn, not 0"),
    ],
)
def test_refuses_to_draw_what_is_not_there(context, k, sentence):
    sampler = make_sampler()
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        sampler.select(sampler.new_state(), context, k, np.random.default_rng(1))


def test_draws_as_many_arms_as_there_are_where_more_are_asked_for():
    sampler = make_sampler()
    drawn = sampler.select(sampler.new_state(), 0, 9, np.random.default_rng(1))
    assert sorted(drawn.arms.tolist()) == [0, 1, 2]
    assert drawn.rank_propensities.shape == (3, 3)


def test_the_same_generator_draws_the_same():
    sampler, state = make_sampler(), make_state(**LIKELY)
    one, two = (sampler.select(state, 0, 3, np.random.default_rng(5)) for _ in range(2))
    assert one.arms.tolist() == two.arms.tolist()
    assert one.draws.tolist() == two.draws.tolist()


def test_without_trials_every_arm_is_as_likely_at_every_rank():
    sampler = ThompsonSampler("abcdef")
    drawn = sampler.select(sampler.new_state(), 17, 3, np.random.default_rng(1))
    assert drawn.rank_propensities == pytest.approx(np.full((6, 3), 1 / 6), abs=1e-6)


def test_the_order_is_that_of_the_draws_unless_explored():
    sampler, state, rng = make_sampler(explore=0.0), make_state(**LIKELY), np.random.default_rng(2)
    for _ in range(50):
        drawn = sampler.select(state, 0, 3, rng)
        assert not drawn.explored
        assert drawn.arms.tolist() == np.argsort(-drawn.draws).tolist()


def test_explores_as_often_as_asked_and_evenly():
    sampler, state, rng = make_sampler(explore=0.3), make_state(**SURELY), np.random.default_rng(3)
    drawn = [sampler.select(state, 0, 1, rng) for _ in range(N_DRAWS)]
    explored = [one.arms[0] for one in drawn if one.explored]
    # Five standard deviations: by chance once in 1.7 million, and for the arms once in 580,000.
    assert len(explored) / N_DRAWS == pytest.approx(0.3, abs=5 * (0.3 * 0.7 / N_DRAWS) ** 0.5)
    shares = np.bincount(explored, minlength=3) / len(explored)
    assert shares == pytest.approx(np.full(3, 1 / 3), abs=5 * 0.4714 / len(explored) ** 0.5)


CASES = {
    "as believed": ({"explore": 0.0}, make_state(**LIKELY)),
    "with exploration": ({"explore": 0.2}, make_state(**LIKELY)),
    "capped": ({"explore": 0.0, "max_share": 0.5}, make_state(**LIKELY, first_draws=MOSTLY_FIRST)),
    "capped, with exploration": (
        {"explore": 0.1, "max_share": 0.45},
        make_state(**LIKELY, first_draws=MOSTLY_FIRST),
    ),
    "two capped": (
        {"explore": 0.05, "max_share": 0.2},
        make_state([50, 48, 30], [300] * 3, first_draws=[50, 45, 5]),
    ),
}


@pytest.mark.parametrize(("parameters", "state"), CASES.values(), ids=CASES)
def test_arms_are_drawn_at_each_rank_as_often_as_stated(parameters, state):
    sampler, rng = make_sampler(**parameters), np.random.default_rng(7)
    drawn = [sampler.select(state, 0, 3, rng) for _ in range(N_DRAWS)]
    orders = np.array([one.arms for one in drawn])
    seen = np.stack([np.bincount(rank, minlength=3) for rank in orders.T], axis=1) / N_DRAWS
    stated = drawn[0].rank_propensities
    assert any(one.capped for one in drawn) == ("max_share" in parameters)
    assert stated.sum(axis=0) == pytest.approx(np.ones(3))
    assert stated.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-4)
    # Five standard deviations, and .002 for the grid: by chance once in 190,000 for the nine cells.
    assert (np.abs(seen - stated) < 5 * np.sqrt(stated * (1 - stated) / N_DRAWS) + 0.002).all()


def first_propensity(state, **parameters):
    return make_sampler(**parameters).beliefs(state).rank_propensities(0)[0, 0]


def test_the_cap_holds_an_arm_above_its_share_to_it():
    free = first_propensity(make_state(**LIKELY))
    assert free > 0.75
    assert first_propensity(make_state(**LIKELY, first_draws=MOSTLY_FIRST)) == pytest.approx(0.70)
    assert first_propensity(make_state(**LIKELY, first_draws=[69, 21, 10])) == free
    assert first_propensity(make_state(**LIKELY, first_draws=MOSTLY_FIRST), max_share=1.0) == free


def test_the_cap_waits_for_enough_draws():
    free = first_propensity(make_state(**LIKELY))
    assert first_propensity(make_state(**LIKELY, first_draws=[MIN_DRAWS - 1, 0, 0])) == free
    assert first_propensity(make_state(**LIKELY, first_draws=[MIN_DRAWS, 0, 0])) == pytest.approx(0.70)
    # As many draws of now, each weighing a half in the sums.
    halved = make_state(**LIKELY, first_draws=[MIN_DRAWS / 2, 0, 0], draw_unit=0.5)
    assert first_propensity(halved) == pytest.approx(0.70)


def test_the_cap_leaves_an_arm_that_is_surely_the_best():
    state = make_state(**SURELY, first_draws=MOSTLY_FIRST)
    assert make_sampler().beliefs(state).p_best(0)[0] > SURE
    assert first_propensity(state) > 0.95
    assert make_sampler().beliefs(make_state(**LIKELY)).p_best(0)[0] < SURE


def test_a_single_arm_is_always_drawn_and_never_capped():
    sampler = ThompsonSampler("a", (1,))
    drawn = sampler.select(make_state([5], [50], [500]), 0, 3, np.random.default_rng(1))
    assert drawn.arms.tolist() == [0]
    assert drawn.rank_propensities.tolist() == [[1.0]]
    assert not drawn.capped


def test_what_is_believed_agrees_with_its_interval():
    posterior = make_sampler().posterior(make_state(**LIKELY))
    assert posterior.mean == pytest.approx(posterior.alpha / (posterior.alpha + posterior.beta))
    assert betainc(posterior.alpha, posterior.beta, posterior.low) == pytest.approx(np.full((1, 3), 0.025))
    assert betainc(posterior.alpha, posterior.beta, posterior.high) == pytest.approx(np.full((1, 3), 0.975))
    assert posterior.p_best.sum() == pytest.approx(1)
    assert posterior.mean[0] == pytest.approx([0.2, 0.16, 0.147], abs=0.01)


def test_a_sharper_sampler_draws_the_likely_best_more_often():
    wide, sharp = (
        first_propensity(make_state(**LIKELY), sharpness=sharpness, optimistic=False)
        for sharpness in (1.0, 0.3)
    )
    assert sharp > wide + 0.05


def test_an_optimistic_sampler_passes_nobody_over_because_of_a_low_draw():
    """One draw below the mean loses the likely best its place less often than a plain one."""
    state = make_state(**LIKELY)
    plain, hopeful = (first_propensity(state, sharpness=1.0, optimistic=flag) for flag in (False, True))
    assert hopeful > plain + 0.02
    means = make_sampler().posterior(state).mean[0]
    drawn = [make_sampler().select(state, 0, 3, np.random.default_rng(seed)).draws for seed in range(50)]
    assert (np.stack(drawn) >= means - 1e-12).all()
    assert (np.stack(drawn) > means + 0.001).any(axis=0).all(), "and now and then above it"


def test_beliefs_of_a_state_are_worked_out_once():
    sampler, state = make_sampler(), make_state(**LIKELY)
    assert sampler.beliefs(state) is sampler.beliefs(state)
    assert sampler.beliefs(sampler.new_state()) is not sampler.beliefs(state)


@pytest.mark.parametrize("n", [0, 1e9])
def test_no_counts_and_huge_ones_give_finite_beliefs(n):
    sampler = ThompsonSampler("abcdef")
    trials = np.full((96, 6), float(n))
    posterior = sampler.posterior(BanditState(trials, 0.15 * trials, np.zeros(6)))
    for name in ("alpha", "beta", "mean", "low", "high", "p_best"):
        assert np.isfinite(getattr(posterior, name)).all(), name
    assert np.ptp(posterior.mean) < 1e-6
    assert posterior.p_best == pytest.approx(np.full((96, 6), 1 / 6), abs=1e-3)
