from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from apps.algorithms.context import CONTEXT_SIZES, N_CONTEXTS
from apps.algorithms.simulation import EQUAL_ARMS, REFERENCE, Public, Record, Tastes, play

N = 20_000
SPOTS = np.stack(np.unravel_index(np.arange(N_CONTEXTS), CONTEXT_SIZES), axis=1)
EAGER = replace(EQUAL_ARMS, base=40.0, lost=0.0, doubled=0.0)
"""Everybody likes everything and says so once."""


def make_public(tastes=REFERENCE, n_requests=N, seed=1):
    return Public(tastes, n_requests, np.random.default_rng(seed))


def bound(share, n):
    """Five standard deviations of a share: passed by chance once in 1.7 million."""
    return 5 * (share * (1 - share) / n) ** 0.5


class Taker:
    """Fills every slot with one arm and keeps what it is told."""

    def __init__(self, n_slots=1, arm=2):
        self.arms = (arm,) * n_slots
        self.told = []

    def choose(self, request, context):
        return self.arms

    def reward(self, request, context, arm):
        self.told.append((request, context, arm))


def test_the_same_seed_makes_the_same_public():
    one, two, other = make_public(n_requests=300), make_public(n_requests=300), make_public(seed=2)
    assert np.array_equal(one.contexts, two.contexts)
    assert np.array_equal(one.probabilities, two.probabilities)
    assert [one.answers(i, (3,)) for i in range(300)] == [two.answers(i, (3,)) for i in range(300)]
    assert not np.array_equal(one.contexts, other.contexts[:300])


def test_values_of_a_context_occur_as_often_as_stated():
    spots = SPOTS[make_public().contexts]
    for part, shares in enumerate(REFERENCE.marginals):
        seen = np.bincount(spots[:, part], minlength=len(shares)) / N
        # At most 13 bounds: by chance once in 130,000.
        assert (np.abs(seen - shares) < [bound(share, N) for share in shares]).all()


def test_without_effects_every_chance_is_the_base():
    assert make_public(EQUAL_ARMS, 100).probabilities == pytest.approx(expit(-1.75))


def test_arms_differ_alike_everywhere_by_their_own_effect():
    public = make_public(replace(EQUAL_ARMS, arm=0.5, n_arms=400), 50)
    assert np.ptp(public.probabilities, axis=0).max() == 0
    # Of 400 normal effects the deviation is within .1, 5.6 of its own deviations.
    assert np.std(logit(public.probabilities[0])) == pytest.approx(0.5, abs=0.1)


def test_parts_of_a_context_add_up():
    public = make_public(replace(EQUAL_ARMS, part=0.4), 5_000)
    by_context = np.zeros((N_CONTEXTS, 6))
    by_context[public.contexts] = logit(public.probabilities)
    assert len(np.unique(public.contexts)) == N_CONTEXTS
    cells = by_context.reshape(*CONTEXT_SIZES, 6)
    # What two values of one part differ by is the same in every other context.
    assert np.ptp(cells[1] - cells[0], axis=(0, 1, 2, 3)).max() < 1e-9
    assert np.ptp(cells[..., 1, :] - cells[..., 0, :], axis=(0, 1, 2, 3)).max() < 1e-9
    assert np.ptp(cells) > 0.5


def test_a_walk_for_each_segment_and_arm_ends_as_far_as_stated():
    public = make_public(replace(EQUAL_ARMS, drift=0.6, n_arms=300), 2_000)
    moved = logit(public.probabilities) - EQUAL_ARMS.base
    assert np.abs(moved[0]).max() < 0.1
    # Of 300 normal ends the deviation is within .15, 6 of its own deviations.
    assert np.std(moved[-1]) == pytest.approx(0.6, abs=0.15)


def test_at_half_time_power_users_and_mornings_take_arms_for_one_another():
    public = make_public(replace(EQUAL_ARMS, arm=0.5, is_permuted=True), 4_000)
    spots = SPOTS[public.contexts]
    is_swapped = (np.arange(4_000) >= 2_000) & ((spots[:, 2] == 2) | (spots[:, 0] == 1))
    before = public.probabilities[0]
    assert public.probabilities[~is_swapped] == pytest.approx(np.tile(before, ((~is_swapped).sum(), 1)))
    [after] = np.unique(public.probabilities[is_swapped].round(12), axis=0)
    assert sorted(after) == pytest.approx(sorted(before))
    assert not np.allclose(after, before)


def test_slots_are_looked_at_as_often_as_stated():
    public = make_public(replace(EAGER, examined=(0.9, 0.5, 0.1)))
    answers = [answer.slot for i in range(N) for answer in public.answers(i, (0, 1, 2))]
    for slot, share in enumerate((0.9, 0.5, 0.1)):
        assert answers.count(slot) / N == pytest.approx(share, abs=bound(share, N))
    assert public.expected(0, (0, 1)) == pytest.approx(0.9 + 0.5)


def test_films_are_liked_as_often_as_stated():
    public = make_public(EQUAL_ARMS)
    likes = sum(len(public.answers(i, (4,))) for i in range(N))
    assert likes / N == pytest.approx(expit(-1.75), abs=bound(expit(-1.75), N))


def test_answers_are_lost_and_doubled_as_often_as_stated():
    public = make_public(replace(EAGER, lost=0.05, doubled=0.02))
    times = [len(answer.arrivals) for i in range(N) for answer in public.answers(i, (0,))]
    assert len(times) == N
    assert times.count(0) / N == pytest.approx(0.05, abs=bound(0.05, N))
    assert times.count(2) / N == pytest.approx(0.02, abs=bound(0.02, N))


def test_answers_arrive_later_as_stated():
    public = make_public(replace(EAGER, prompt=10.0, late=500.0, late_share=0.2))
    delays = np.array([public.answers(i, (0,))[0].arrivals[0] for i in range(N)])
    assert delays.min() >= 1
    # A delay is a whole number above an exponential one; beyond 80 the prompt have all but ended.
    share = 0.2 * np.exp(-80 / 500) + 0.8 * np.exp(-80 / 10)
    assert (delays > 80).mean() == pytest.approx(share, abs=bound(share, N))


def test_each_slot_is_told_once_however_often_it_is_answered():
    taker = Taker(n_slots=3)
    public = make_public(replace(EAGER, doubled=1.0, examined=(1.0, 1.0, 1.0), prompt=2.0, late_share=0), 400)
    play(public, taker)
    told = np.bincount([request for request, _, _ in taker.told], minlength=400)
    # An answer is 300 requests late once in 10^65.
    assert (told[:100] == 3).all()
    assert told.max() == 3
    assert all(context == public.contexts[request] and arm == 2 for request, context, arm in taker.told)


def test_what_is_lost_is_never_told():
    taker = Taker()
    play(make_public(replace(EAGER, lost=1.0), 300), taker)
    assert taker.told == []


def test_a_record_holds_what_was_chosen_and_what_it_was_worth():
    public = make_public(Tastes(examined=(1.0, 0.5)), 200)
    record = play(public, Taker(n_slots=2, arm=1))
    assert (record.chosen == 1).all()
    assert record.expected == pytest.approx(public.probabilities[:, 1] * 1.5)
    assert record.best == pytest.approx(public.probabilities.max(axis=1) * 1.5)


def test_regret_and_reward_are_as_worked_out():
    record = Record(np.array([0.1, 0.2, 0.3]), np.array([0.2, 0.2, 0.5]), np.zeros((3, 1), dtype=np.int64))
    assert record.regret() == pytest.approx(0.3)
    assert record.regret(until=2) == pytest.approx(0.1)
    assert record.reward() == pytest.approx(0.2)
    assert record.reward(until=1) == pytest.approx(0.1)
