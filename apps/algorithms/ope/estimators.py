"""The four estimators.

Parameters
----------
rewards
    float64 ``(n,)``, 0 to 1, of each film of the log.
logged_propensity
    float64 ``(n,)``, above 0 to 1: with what probability the slot was given to the arm that owned it.
target_propensity
    float64 ``(n, n_arms)``: with what probability the target would give that slot to each arm.
rows
    Where the films were shown.

Each returns an ``Estimate`` and raises ``ValueError`` for arrays that do not fit or hold what can be none.
"""

from collections.abc import Callable

import numpy as np

from apps.algorithms.ope.intervals import Found, groups_of_units, leave_groups_out, weigh
from apps.algorithms.ope.rewards import predictions
from apps.algorithms.ope.rows import Estimate, Log, Rows, Verdict
from apps.algorithms.types import Float64

N_FOLDS = 5


def ips(
    rewards: Float64,
    logged_propensity: Float64,
    target_propensity: Float64,
    rows: Rows,
) -> Estimate:
    """Inverse propensity scoring: the mean of ``w r``, where ``w = target / logged`` of the arm shown."""
    log = Log(rewards, logged_propensity, target_propensity, rows)
    return _judge(log, lambda: weigh(log, log.weights * rewards, np.ones(len(rewards))))


def snips(
    rewards: Float64,
    logged_propensity: Float64,
    target_propensity: Float64,
    rows: Rows,
) -> Estimate:
    """Self-normalised inverse propensity scoring: ``sum w r / sum w``."""
    log = Log(rewards, logged_propensity, target_propensity, rows)
    return _judge(log, lambda: weigh(log, log.weights * rewards, log.weights))


def dm(
    rewards: Float64,
    logged_propensity: Float64,
    target_propensity: Float64,
    rows: Rows,
) -> Estimate:
    """The direct method: the mean over films of ``sum_a target_a q_a``, ``q`` the model of the rewards.

    Its interval knows nothing of what the model gets wrong, so trust ``dr`` where the two disagree.
    """
    log = Log(rewards, logged_propensity, target_propensity, rows)
    return _judge(log, lambda: leave_groups_out(log))


def dr(
    rewards: Float64,
    logged_propensity: Float64,
    target_propensity: Float64,
    rows: Rows,
) -> Estimate:
    """Doubly robust: the mean of ``sum_a target_a q_a + w (r - q_shown)``.

    The model of the rewards is fitted on other viewers than those it is asked about, in ``N_FOLDS`` folds.
    """
    log = Log(rewards, logged_propensity, target_propensity, rows)

    def find() -> Found:
        expected = predictions(log, groups_of_units(log, N_FOLDS))
        scores = (target_propensity * expected).sum(axis=1)
        scores += log.weights * (rewards - log.of_shown(expected))
        return weigh(log, scores, np.ones(len(rewards)))

    return _judge(log, find)


def _judge(log: Log, find: Callable[[], Found]) -> Estimate:
    reason = log.why_no_value()
    if reason is None and log.ess == 0:
        reason = log.why_no_verdict()
    if reason is not None:
        mean_weight = float(log.weights.mean()) if len(log.weights) else None
        return Estimate(None, None, log.ess, mean_weight, None, None, log.n_units, None, reason)
    found = find()
    reason = log.why_no_verdict()
    if reason is None and found.ci is None:
        reason = "viewers do not differ, so nothing says how sure the value is"
    return Estimate(
        value=found.value,
        ci=found.ci,
        ess=log.ess,
        mean_weight=float(log.weights.mean()),
        lift=found.lift,
        lift_ci=found.lift_ci,
        n_units=log.n_units,
        verdict=None if reason else _verdict(found),
        reason=reason,
    )


def _verdict(found: Found) -> Verdict:
    if found.lift_ci is None:
        return "unclear"
    low, high = found.lift_ci
    if low > 0:
        return "better"
    return "worse" if high < 0 else "unclear"
