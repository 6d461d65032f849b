import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from apps.algorithms.bandits.pooling import design, pool
from apps.algorithms.context import CONTEXT_SIZES, N_CONTEXTS

SIZES = (3, 2, 2)
N_ARMS = 2


def pooled(successes, trials, sizes=SIZES, alpha=1.0, beta=1.0):
    return pool(
        np.asarray(successes, dtype=np.float64),
        np.asarray(trials, dtype=np.float64),
        sizes,
        alpha=alpha,
        beta=beta,
    )


def means(successes, trials):
    return expit(pooled(successes, trials).logits)


def random_counts(seed, n_contexts=12, largest=400):
    rng = np.random.default_rng(seed)
    trials = rng.integers(0, largest, (n_contexts, N_ARMS))
    return rng.binomial(trials, rng.uniform(0, 1, (n_contexts, N_ARMS))), trials


def by_first_part(values):
    """A value for each context that goes by its first part alone, ``(12, 1)``."""
    return np.repeat(values, 4)[:, None].astype(np.float64)


def test_a_row_of_the_design_marks_the_value_of_each_part():
    assert design((2, 3)).tolist() == [
        [1, 1, 0, 1, 0, 0],
        [1, 1, 0, 0, 1, 0],
        [1, 1, 0, 0, 0, 1],
        [1, 0, 1, 1, 0, 0],
        [1, 0, 1, 0, 1, 0],
        [1, 0, 1, 0, 0, 1],
    ]


def test_without_trials_all_is_believed_alike():
    beliefs = pooled(np.zeros((12, N_ARMS)), np.zeros((12, N_ARMS)), alpha=1, beta=4)
    assert expit(beliefs.logits) == pytest.approx(np.full((12, N_ARMS), 0.2))
    assert np.ptp(beliefs.variances) == pytest.approx(0, abs=1e-12)
    assert 0 < beliefs.variances[0, 0] < 2


def test_a_cell_without_trials_leans_on_those_that_share_its_parts():
    trials = np.full((12, 1), 200.0)
    successes = by_first_part([0.3, 0.1, 0.1]) * trials
    trials[0] = successes[0] = 0
    trials[4] = successes[4] = 0
    found = means(successes, trials)
    assert found[0, 0] > 0.22
    assert found[4, 0] < 0.14
    variances = pooled(successes, trials).variances
    assert variances[0, 0] > 2 * variances[1, 0]


@pytest.mark.parametrize("rate", [0.6, 0.01])
def test_a_cell_with_many_trials_goes_by_its_own(rate):
    trials = np.full((12, 1), 200.0)
    successes = 0.1 * trials
    trials[5], successes[5] = 20_000, rate * 20_000
    found = means(successes, trials)
    assert found[5, 0] == pytest.approx(rate, rel=0.08)
    assert np.delete(found, 5) == pytest.approx(np.full(11, 0.1), abs=0.05)


def test_arms_do_not_take_each_others_rates():
    trials = np.full((12, 2), 300.0)
    found = means(trials * [0.1, 0.3], trials)
    assert found == pytest.approx(np.tile([0.1, 0.3], (12, 1)), abs=0.01)


def test_more_trials_make_surer():
    trials = np.full((12, N_ARMS), 20.0)
    successes = trials * np.random.default_rng(1).uniform(0.1, 0.4, trials.shape)
    assert (pooled(50 * successes, 50 * trials).variances < pooled(successes, trials).variances).all()


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.permutations(range(3)), st.permutations(range(N_ARMS)))
def test_only_sums_count_so_other_names_of_values_and_arms_change_nothing(seed, values, arms):
    successes, trials = random_counts(seed)
    contexts = np.arange(12).reshape(SIZES)[list(values)].ravel()
    spots = np.ix_(contexts, list(arms))
    renamed = pooled(successes[spots], trials[spots])
    beliefs = pooled(successes, trials)
    assert renamed.logits == pytest.approx(beliefs.logits[spots], abs=1e-6)
    assert renamed.variances == pytest.approx(beliefs.variances[spots], rel=1e-5)


@settings(max_examples=40)
@given(
    st.integers(0, 2**32 - 1), st.integers(0, 11), st.integers(0, N_ARMS - 1), st.floats(0.5, 100, width=32)
)
def test_more_successes_raise_the_mean(seed, context, arm, more):
    successes, trials = (array.astype(np.float64) for array in random_counts(seed))
    trials[context, arm] = max(trials[context, arm], successes[context, arm] + more)
    raised = successes.copy()
    raised[context, arm] += more
    assert means(raised, trials)[context, arm] > means(successes, trials)[context, arm]


@pytest.mark.parametrize("n", [10, 1e3, 1e5, 1e9])
@pytest.mark.parametrize("kind", ["one far above", "all or nothing", "none", "all", "one cell only"])
def test_extreme_counts_give_finite_beliefs_at_what_was_seen(n, kind):
    shape = (N_CONTEXTS, 6)
    trials = np.full(shape, float(n))
    rates = np.full(shape, {"none": 0.0, "all": 1.0}.get(kind, 1e-4))
    rates[5, 2] = {"none": 0.0}.get(kind, 1.0 if kind == "all" else 0.9)
    if kind == "all or nothing":
        rates = np.random.default_rng(1).integers(0, 2, shape).astype(np.float64)
    if kind == "one cell only":
        trials = np.where(np.arange(trials.size).reshape(shape) == 32, n, 0.0)
    beliefs = pooled(rates * trials, trials, CONTEXT_SIZES)
    assert np.isfinite(beliefs.logits).all()
    assert np.isfinite(beliefs.variances).all()
    assert (beliefs.variances > 0).all()
    if n >= 1e5:
        seen = trials > 0
        assert expit(beliefs.logits)[seen] == pytest.approx(rates[seen], abs=0.005)
