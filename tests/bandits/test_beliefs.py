"""What a process believes is what the cells say, read in few queries however many they are."""

from typing import Any

import numpy as np
import pytest

from apps.algorithms.bandits.state import BanditState as Sums
from apps.algorithms.context import N_CONTEXTS
from apps.bandits.beliefs import believed, forget_bandits, held_bandit
from apps.bandits.models import BanditPolicy, BanditState
from tests.bandits.log import ARMS, make_policy

pytestmark = pytest.mark.django_db


def make_cells(policy: BanditPolicy, contexts: range) -> Sums:
    """Cells with made-up sums in these contexts, and the same as arrays."""
    rng = np.random.default_rng(4)
    shown, successes, first_draws = np.zeros((3, N_CONTEXTS, len(ARMS)))
    for context in contexts:
        for spot, arm in enumerate(ARMS):
            shown[context, spot] = rng.integers(10, 90)
            successes[context, spot] = rng.integers(0, 10)
            first_draws[context, spot] = rng.integers(0, 40)
            BanditState.objects.create(
                policy=policy,
                context=context,
                arm=arm,
                shown_weighted=shown[context, spot],
                successes_weighted=successes[context, spot],
                first_draws=first_draws[context, spot],
            )
    return Sums(shown, successes, first_draws.sum(axis=0))


def test_what_is_believed_is_what_the_sums_say() -> None:
    policy = make_policy()
    sums = make_cells(policy, range(3, 40))
    held = held_bandit(reversed(ARMS))
    assert held is not None
    expected = policy.sampler().beliefs(sums)
    for bandit in (held, believed(policy.version)):
        assert bandit.beliefs.alpha == pytest.approx(expected.alpha, rel=1e-12)
        assert bandit.beliefs.beta == pytest.approx(expected.beta, rel=1e-12)
        assert bandit.beliefs.state.shares == pytest.approx(sums.shares)


@pytest.mark.parametrize("n_contexts", [0, 1, 60])
def test_two_queries_read_it_however_many_cells_there_are(
    n_contexts: int, django_assert_num_queries: Any
) -> None:
    make_cells(make_policy(), range(n_contexts))
    forget_bandits()
    with django_assert_num_queries(2):
        assert held_bandit(ARMS) is not None


def test_arms_that_never_served_have_none() -> None:
    assert held_bandit(["als", "svd"]) is None
    with pytest.raises(KeyError):
        believed(12)
