"""Policies that never served, judged by name: fixed weights, and other terms."""

from dataclasses import replace

import numpy as np
import pytest

from apps.algorithms.types import Float64
from apps.bandits.models import BanditPolicy
from apps.bandits.services import judge
from apps.bandits.services.targets import targets_of, terms_name, weights_name
from apps.bandits.services.versions import terms_of
from apps.core.errors import InvalidInput
from tests.bandits.log import ARMS, make_log, make_policy, serve
from tests.bandits.test_judging import make_history

pytestmark = pytest.mark.django_db


def parts_of(policy: BanditPolicy, name: str, k: int = 3) -> Float64:
    (target,) = targets_of([name], policy)
    return target.slot_probabilities(policy, k, 96)


def make_learned() -> BanditPolicy:
    """A version that began with much of what one before it counted: svd is the best."""
    policy = make_policy()
    policy.states.create(context=7, arm="als", base_shown_weighted=400, base_successes_weighted=40)
    policy.states.create(context=7, arm="item_cf", base_shown_weighted=400, base_successes_weighted=40)
    policy.states.create(context=7, arm="svd", base_shown_weighted=400, base_successes_weighted=200)
    return policy


def test_fixed_weights_are_the_mean_of_the_arms_alone() -> None:
    """IPS is linear in the target, so a mix earns the mix of what its arms earn."""
    policy = make_policy()
    make_history(policy, n_viewers=20)
    weights = {"als": 0.2, "item_cf": 0.3, "svd": 0.5}
    mixed, *alone = judge([weights_name(weights), *ARMS], version=policy.version, days=30, estimators=["ips"])
    earned = {one.policy: one.estimates["ips"].value or 0.0 for one in alone}
    assert mixed.estimates["ips"].value == pytest.approx(sum(weights[arm] * earned[arm] for arm in ARMS))


def test_the_same_terms_draw_as_the_version_itself() -> None:
    policy = make_learned()
    own = parts_of(policy, f"version:{policy.version}", k=1)
    assert np.array_equal(parts_of(policy, "terms:", k=1), own)
    assert own.sum(axis=1) == pytest.approx(1)


def test_terms_that_explore_always_draw_evenly_and_those_that_keep_nothing_too() -> None:
    policy = make_learned()
    assert parts_of(policy, "terms:explore=1", k=1) == pytest.approx(1 / 3)
    assert parts_of(policy, "terms:keep=0", k=1) == pytest.approx(1 / 3, abs=1e-3)
    best = parts_of(policy, "terms:max_share=1", k=1)[7, ARMS.index("svd")]
    # Three per cent of lists are drawn evenly: a third of these go to each arm.
    assert best == pytest.approx(0.98, abs=1e-3)


def test_a_name_says_only_what_is_other_than_in_the_version() -> None:
    policy = make_policy(half_life_days=12.5)
    terms = replace(terms_of(policy), explore=0.1, half_life_days=None, optimistic=False)
    assert terms_name(policy, terms_of(policy)) == "terms:"
    name = terms_name(policy, terms, keep=0.5)
    assert name == "terms:optimistic=false,half_life_days=none,explore=0.1,keep=0.5"
    assert parts_of(policy, name) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("weights:als=1", "Give each of als, item_cf, svd a weight above 0, 1 in sum."),
        ("weights:als=.5,item_cf=.5,svd=.5", "Give each of als, item_cf, svd a weight above 0, 1 in sum."),
        ("weights:best=1", "weights: knows no 'best'; it knows: als, item_cf, svd."),
        ("terms:explore=often", "terms:explore cannot be 'often'."),
        ("terms:keep=2", "Of an arm of the policy 0 to 1 can be kept, not 2 of 'als'."),
        ("terms:half_life_days=0.5", "A half-life is at least a day, not 0.5."),
    ],
)
def test_refuses_what_could_not_serve(name: str, sentence: str) -> None:
    policy = make_policy()
    serve(make_log(policy, ["svd"]))
    with pytest.raises(InvalidInput) as refused:
        judge([name], version=policy.version, days=30)
    errors = refused.value.errors
    assert (errors[0].detail if errors else refused.value.detail) == sentence
