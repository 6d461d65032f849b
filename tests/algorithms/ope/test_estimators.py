import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.algorithms.ope import MIN_ESS, MIN_UNITS, Rows, UnitSums, dm, dr, ips, rate_interval, snips
from apps.algorithms.ope.rows import Log

ESTIMATORS = {"ips": ips, "snips": snips, "dm": dm, "dr": dr}
each = pytest.mark.parametrize("estimate", ESTIMATORS.values(), ids=ESTIMATORS)
RATES = np.array([[0.05, 0.30, 0.10], [0.25, 0.05, 0.10]])
"""Of two contexts and three arms; in the second slot half of it."""
LOGGING = np.array([[0.2, 0.5, 0.3], [0.6, 0.2, 0.2]])


def make_rows(arms, units=None, contexts=None, positions=None, names=("a", "b", "c")):
    n = len(arms)
    fill = [np.zeros(n) if one is None else one for one in (contexts, positions)]
    units = np.arange(n) if units is None else units
    return Rows(*(np.asarray(one, dtype=np.int64) for one in (arms, *fill, units)), names)


def make_log(rng, n_viewers=400, slates=2):
    """Rewards, propensities and rows of a log of two slots a slate, drawn by ``LOGGING`` from ``RATES``."""
    n = n_viewers * slates * 2
    contexts, positions = np.repeat(rng.integers(0, 2, n // 2), 2), np.tile([0, 1], n // 2)
    arms = (rng.random(n)[:, None] > LOGGING[contexts].cumsum(axis=1)[:, :-1]).sum(axis=1)
    chances = RATES[contexts, arms] * np.array([1.0, 0.5])[positions]
    rewards = (rng.random(n) < chances).astype(np.float64)
    units = np.repeat(np.arange(n_viewers), slates * 2)
    return rewards, LOGGING[contexts, arms], make_rows(arms, units, contexts, positions)


def even(rows):
    return np.full((len(rows.arms), len(rows.names)), 1 / len(rows.names))


def alone(arm, rows):
    return np.tile(np.eye(len(rows.names))[arm], (len(rows.arms), 1))


# Four films, of arms a, a, b, b, drawn with .8, .5, .2, .5; liked: the first and the last.
BY_HAND = (
    np.array([1.0, 0.0, 0.0, 1.0]),
    np.array([0.8, 0.5, 0.2, 0.5]),
    np.full((4, 2), 0.5),
    make_rows([0, 0, 1, 1], names=("a", "b")),
)
# The weights are .5 / .8 = .625, 1, 2.5 and 1: 5.125 in sum, their squares 8.640625.


def test_inverse_propensities_are_as_worked_out():
    found = ips(*BY_HAND)
    assert found.value == pytest.approx((0.625 + 1) / 4)
    assert found.mean_weight == pytest.approx(5.125 / 4)
    assert found.ess == pytest.approx(5.125**2 / 8.640625)
    assert found.lift == pytest.approx(1.625 / 4 - 0.5)


def test_self_normalised_ones_are_as_worked_out():
    assert snips(*BY_HAND).value == pytest.approx((0.625 + 1) / 5.125)


# One over the propensities, 1.25 and 2 of a's films, 5 and 2 of b's, scaled to a's and b's effective sample.
SCALES = [3.25 / (1.25**2 + 2**2), 7 / (5**2 + 2**2)]
EVEN_WEIGHTS = [1.25 * SCALES[0], 2 * SCALES[0], 5 * SCALES[1], 2 * SCALES[1]]


def believed(arm, films):
    """What the model of one context and slot says that ``arm`` earns, by those films of ``BY_HAND``."""
    rewards, arms = BY_HAND[0], BY_HAND[3].arms
    overall = (rewards[films].sum() + 1) / (len(films) + 2)
    rate = (rewards[films].sum() + 50 * overall) / (len(films) + 50)
    own = [film for film in films if arms[film] == arm]
    found = sum(EVEN_WEIGHTS[film] * rewards[film] for film in own)
    by_arm = (found + 5) / (sum(EVEN_WEIGHTS[film] for film in own) * rate + 5)
    return rate * (rewards[own].sum() + 5 * by_arm) / (len(own) * rate + 5)


def test_the_model_is_as_worked_out():
    # Of a 1.9 films, of which .73 liked: (5 + .73) / (5 + .95) = .963; of its own two (1 + 4.82) / 6 = .969.
    assert believed(0, [0, 1, 2, 3]) == pytest.approx(0.4847, abs=1e-4)
    expected = np.mean([believed(arm, [0, 1, 2, 3]) for arm in (0, 1)])
    assert dm(*BY_HAND).value == pytest.approx(expected)


def test_doubly_robust_corrects_what_the_model_gets_wrong_of_other_viewers():
    rewards, logged, target, rows = BY_HAND
    scores = []
    for film in range(4):
        others = [other for other in range(4) if other != film]
        believes = [believed(arm, others) for arm in (0, 1)]
        weight = 0.5 / logged[film]
        scores.append(0.5 * sum(believes) + weight * (rewards[film] - believes[rows.arms[film]]))
    assert dr(rewards, logged, target, rows).value == pytest.approx(np.mean(scores))


@each
def test_each_way_finds_what_another_policy_earns(estimate):
    rewards, logged, rows = make_log(np.random.default_rng(1), n_viewers=4_000)
    target = np.array([[0.1, 0.8, 0.1], [0.8, 0.1, 0.1]])
    truth = (RATES * target).sum(axis=1).mean() * 0.75
    found = estimate(rewards, logged, target[rows.contexts], rows)
    # Five standard errors of about .003: by chance once in 1.7 million, had the model no part in it.
    assert found.value == pytest.approx(truth, abs=0.016)
    assert found.mean_weight == pytest.approx(1, abs=0.06)
    assert found.ci[0] < found.value < found.ci[1]
    assert found.verdict == "better"
    assert found.reason is None


@each
def test_a_policy_that_is_worse_is_called_so(estimate):
    rewards, logged, rows = make_log(np.random.default_rng(2), n_viewers=4_000)
    target = np.array([[0.9, 0.05, 0.05], [0.05, 0.9, 0.05]])
    found = estimate(rewards, logged, target[rows.contexts], rows)
    assert found.lift_ci[1] < 0
    assert found.verdict == "worse"


@pytest.mark.parametrize("estimate", [ips, snips, dr], ids=["ips", "snips", "dr"])
def test_intervals_hold_the_truth_as_often_as_they_promise(estimate):
    rng, truth, n_logs = np.random.default_rng(12), RATES[:, 1].mean() * 0.75, 200
    holds = 0
    for _ in range(n_logs):
        rewards, logged, rows = make_log(rng, n_viewers=100)
        low, high = estimate(rewards, logged, alone(1, rows), rows).ci
        holds += low <= truth <= high
    # Five standard deviations below 95 %: by chance less than once in 10,000.
    assert holds / n_logs > 0.95 - 5 * (0.95 * 0.05 / n_logs) ** 0.5


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_the_policy_of_the_log_earns_what_the_log_did(seed):
    rewards, logged, rows = make_log(np.random.default_rng(seed), n_viewers=60)
    for estimate in (ips, snips):
        found = estimate(rewards, logged, LOGGING[rows.contexts], rows)
        assert found.value == pytest.approx(rewards.mean())
        assert found.mean_weight == pytest.approx(1)
        assert found.ess == pytest.approx(len(rewards))
        assert found.lift == pytest.approx(0)
        assert found.verdict == "unclear"
    assert dr(rewards, logged, LOGGING[rows.contexts], rows).value == pytest.approx(rewards.mean(), abs=0.03)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(ESTIMATORS)))
def test_the_order_of_the_films_does_not_matter(seed, name):
    rng = np.random.default_rng(seed)
    rewards, logged, rows = make_log(rng, n_viewers=40)
    order = rng.permutation(len(rewards))
    columns = (rows.arms, rows.contexts, rows.positions, rows.units)
    shuffled = Rows(*(column[order] for column in columns), rows.names)
    one = ESTIMATORS[name](rewards, logged, even(rows), rows)
    two = ESTIMATORS[name](rewards[order], logged[order], even(rows), shuffled)
    assert two.value == pytest.approx(one.value)
    assert two.ci == pytest.approx(one.ci)


@each
def test_viewers_with_many_films_make_it_less_sure(estimate):
    rewards, logged, rows = make_log(np.random.default_rng(3))
    # Each film ten times, as if all were of the same viewer, or of ten viewers.
    n = len(rewards)
    viewers = np.random.default_rng(4).permutation(10 * n // 4)
    ten = Rows(
        *(np.tile(one, 10) for one in (rows.arms, rows.contexts, rows.positions, rows.units)), rows.names
    )
    many = replace(ten, units=np.repeat(viewers, 4))
    arguments = np.tile(rewards, 10), np.tile(logged, 10), even(ten)
    few, apart = estimate(*arguments, ten), estimate(*arguments, many)
    assert few.ci[1] - few.ci[0] > 2 * (apart.ci[1] - apart.ci[0])


@each
def test_says_nothing_of_an_empty_log(estimate):
    found = estimate(np.zeros(0), np.zeros(0), np.zeros((0, 3)), make_rows([]))
    assert (found.value, found.ci, found.ess, found.mean_weight) == (None, None, 0, None)
    assert (found.verdict, found.reason) == (None, "the log is empty")


@each
def test_says_nothing_of_arms_that_were_never_drawn(estimate):
    rewards, logged, rows = make_log(np.random.default_rng(4))
    rows = replace(rows, names=("a", "b", "c", "als", "graph"))
    found = estimate(rewards, logged, even(rows), rows)
    assert (found.value, found.ci, found.verdict) == (None, None, None)
    assert found.reason == "not in the log: als, graph"


@each
def test_gives_no_verdict_below_the_least_effective_sample(estimate):
    rewards, logged, rows = make_log(np.random.default_rng(5), n_viewers=100, slates=1)
    found = estimate(rewards, logged, alone(0, rows), rows)
    assert found.ess < MIN_ESS
    assert found.verdict is None
    assert found.reason == f"effective sample {int(found.ess)} < 200"
    assert found.value is not None


@each
def test_gives_no_verdict_for_few_viewers(estimate):
    rewards, logged, rows = make_log(np.random.default_rng(6), n_viewers=MIN_UNITS - 1, slates=20)
    found = estimate(rewards, logged, even(rows), rows)
    assert (found.verdict, found.reason) == (None, "viewers 29 < 30")


@each
def test_has_no_interval_for_a_single_viewer(estimate):
    rewards, logged, rows = make_log(np.random.default_rng(7), n_viewers=1, slates=300)
    found = estimate(rewards, logged, even(rows), rows)
    assert (found.ci, found.lift_ci, found.verdict) == (None, None, None)
    assert found.reason == "viewers 1 < 30"
    assert 0 < found.value < 1


@each
def test_gives_no_verdict_where_weights_do_not_average_one(estimate):
    rewards, logged, rows = make_log(np.random.default_rng(8))
    found = estimate(rewards, np.minimum(2 * logged, 1), even(rows), rows)
    assert found.verdict is None
    assert re.fullmatch(
        r"weights average 0\.5\d, not 1: the log lacks part of what the policy shows, or its propensities "
        r"are wrong",
        found.reason,
    )


def weighing(weights):
    """Rewards, propensities, target and rows of viewers whose ten films, one of each arm, weigh this."""
    units = np.repeat(np.arange(len(weights)), 10)
    rows = make_rows(np.arange(len(units)) % 10, units, names=tuple("abcdefghij"))
    return units // 3 % 2.0, 0.1 / np.asarray(weights)[units], even(rows), rows


@each
@pytest.mark.parametrize(
    ("mean", "deviation", "is_off"),
    [
        # Of 100 viewers, so that the standard error is a tenth of this.
        (1.04, 0.09, False),
        (1.04, 0.07, True),
        (1.06, 0.22, False),
        (1.06, 0.18, True),
        (0.94, 0.22, False),
        (0.94, 0.18, True),
        (1.24, 0.85, False),
        (1.26, 0.95, True),
    ],
)
def test_weights_may_average_off_one_by_what_chance_explains(estimate, mean, deviation, is_off):
    found = estimate(*weighing([mean - deviation, mean + deviation] * 50))
    assert found.mean_weight == pytest.approx(mean)
    said = f"weights average {mean:.2f}, not 1: the log lacks part of what the policy shows, or its"
    assert found.reason == (f"{said} propensities are wrong" if is_off else None)


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 1.5), st.sampled_from([50, 400]))
def test_no_verdict_rests_on_weights_whose_average_is_far_from_one(seed, fault, n_viewers):
    rng = np.random.default_rng(seed)
    rewards, logged, rows = make_log(rng, n_viewers=n_viewers)
    wrong = np.minimum(logged * fault, 1)
    log = Log(rewards, wrong, even(rows), rows)
    off = abs(log.weights.mean() - 1)
    by_chance = log.by_unit(log.weights - log.weights.mean()).std() * n_viewers**0.5 / len(rewards)
    if ips(rewards, wrong, even(rows), rows).verdict is not None:
        assert off <= max(0.05, min(0.25, 3 * by_chance + 1e-6))


@pytest.mark.parametrize("estimate", [ips, snips, dr], ids=["ips", "snips", "dr"])
def test_gives_no_verdict_where_nobody_liked_anything(estimate):
    rewards, logged, rows = make_log(np.random.default_rng(9))
    found = estimate(0 * rewards, logged, LOGGING[rows.contexts], rows)
    assert found.value == pytest.approx(0, abs=1e-3)
    assert estimate is dr or found.reason == "viewers do not differ, so nothing says how sure the value is"
    assert estimate is dr or found.verdict is None


def test_says_nothing_where_no_film_is_one_that_the_policy_shows():
    rewards, logged, rows = make_log(np.random.default_rng(10), n_viewers=50)
    arm = rows.arms
    never = np.eye(3)[(arm + 1) % 3]
    found = snips(rewards, logged, never, rows)
    assert (found.value, found.reason) == (None, "effective sample 0 < 200")


GOOD = make_log(np.random.default_rng(11), n_viewers=5)


def changed(values, spot, value):
    values = values.copy()
    values[spot] = value
    return values


REFUSALS = {
    "lengths": ((GOOD[0][:-1], GOOD[1], even(GOOD[2]), GOOD[2]), "a log needs one value of each for a film"),
    "columns": ((*GOOD[:2], np.ones((20, 2)) / 2, GOOD[2]), "the target needs a column for each arm"),
    "rewards": (
        (changed(GOOD[0], 0, np.nan), GOOD[1], even(GOOD[2]), GOOD[2]),
        "rewards lie between 0 and 1",
    ),
    "propensity": (
        (GOOD[0], changed(GOOD[1], 3, 0.0), even(GOOD[2]), GOOD[2]),
        "a logged propensity lies above 0 and up to 1: leave out films that have none",
    ),
    "target": (
        (*GOOD[:2], changed(even(GOOD[2]), (0, 0), 0.5), GOOD[2]),
        "the target's propensities are not negative and sum to 1 for each film",
    ),
    "arms": (
        (*GOOD[:2], even(GOOD[2]), replace(GOOD[2], arms=changed(GOOD[2].arms, 0, 3))),
        "arms are indices into the names",
    ),
    "contexts": (
        (*GOOD[:2], even(GOOD[2]), replace(GOOD[2], contexts=changed(GOOD[2].contexts, 0, -1))),
        "contexts and positions are not negative",
    ),
}


@each
@pytest.mark.parametrize(("arguments", "sentence"), REFUSALS.values(), ids=REFUSALS)
def test_refuses_what_can_be_no_log(estimate, arguments, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        estimate(*arguments)


def test_a_rate_by_sums_over_viewers_has_the_interval_of_a_log_whose_weights_are_one():
    rewards, _, rows = make_log(np.random.default_rng(3), n_viewers=50)
    even_rows = make_rows(np.zeros(len(rewards)), rows.units, names=("a",))
    ones = np.ones(len(rewards))
    found = snips(rewards, ones, ones[:, None], even_rows)
    sums = UnitSums.of(rewards, rows.units)
    assert (sums.n_units, sums.shown, sums.rate) == (50, 200, found.value)
    assert rate_interval(sums) == pytest.approx(found.ci)


def test_a_rate_has_no_interval_where_viewers_do_not_differ():
    assert rate_interval(UnitSums.of(np.ones(4), np.array([0, 0, 1, 1]))) is None
    assert rate_interval(UnitSums.of(np.array([1.0, 0.0]), np.array([0, 0]))) is None
    assert rate_interval(UnitSums.of(np.zeros(0), np.zeros(0, dtype=np.int64))) is None
