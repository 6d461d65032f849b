"""A simulated public with known tastes, against which whatever learns from feedback is measured.

Every figure that comes of it is one of simulated traffic.

The chance that request ``i``, in context ``c``, likes what arm ``a`` places is
``logit p = base + arm_a + sum over the context's parts (value, a) + cell (c, a) + drift (segment, a, i)``,
all effects normal. Of a slate, slot ``j`` is looked at with probability ``examined_j``, whatever else is in
it (the examination hypothesis, Richardson, Dominowska and Ragno, WWW 2007). A liked film is answered for some
requests later, now and then never or twice, as browsers do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from scipy.special import expit

from apps.algorithms.context import CONTEXT_SIZES, N_CONTEXTS, PARTS
from apps.algorithms.types import Float64, Int64

_SEGMENT = list(PARTS).index("user_segment")
_TIME = list(PARTS).index("time_of_day")
_POWER = PARTS["user_segment"].index("power")
_MORNING = PARTS["time_of_day"].index("morning")
_SPOTS = np.stack(np.unravel_index(np.arange(N_CONTEXTS), CONTEXT_SIZES), axis=1)
"""The value of each part in each context, int64 ``(N_CONTEXTS, 5)``."""
_IS_SWAPPED = (_SPOTS[:, _SEGMENT] == _POWER) | (_SPOTS[:, _TIME] == _MORNING)


@dataclass(frozen=True)
class Tastes:
    """How the public was made: standard deviations on the logit scale, shares from 0 to 1.

    marginals
        How often each value of each part occurs; the parts are independent.
    drift
        Where a random walk for each segment and arm ends.
    is_permuted
        Whether at half time power users and mornings take the arms' own effects for one another.
    examined
        The chance that each slot of a slate is looked at; its length is the longest slate.
    prompt, late
        Mean requests between a film shown and its answer, of most and of ``late_share``.
    lost, doubled
        Shares of the answers that never arrive, and that arrive twice.
    """

    n_arms: int = 6
    base: float = -1.75
    arm: float = 0.30
    part: float = 0.28
    cell: float = 0.20
    drift: float = 0.35
    is_permuted: bool = True
    marginals: Sequence[Sequence[float]] = (
        (0.12, 0.18, 0.30, 0.40),
        (0.65, 0.35),
        (0.60, 0.28, 0.12),
        (0.75, 0.25),
        (0.70, 0.30),
    )
    examined: Sequence[float] = (1.0,)
    prompt: float = 60.0
    late: float = 800.0
    late_share: float = 0.2
    lost: float = 0.05
    doubled: float = 0.02


REFERENCE = Tastes()
NO_STRUCTURE = Tastes(arm=0.15, part=0.0, cell=0.45, drift=0.0, is_permuted=False)
EQUAL_ARMS = Tastes(arm=0.0, part=0.0, cell=0.0, drift=0.0, is_permuted=False)


@dataclass(frozen=True)
class Answer:
    """A viewer liked the film in ``slot``; word of it arrives ``arrivals`` requests later, once each."""

    slot: int
    arrivals: tuple[int, ...]


class Public:
    """``n_requests`` of a public, the same for every policy that serves it.

    contexts
        int64 ``(n_requests,)``, 0 to 95.
    probabilities
        float64 ``(n_requests, n_arms)``: the chance that this request likes what the arm places.
    """

    def __init__(self, tastes: Tastes, n_requests: int, rng: np.random.Generator) -> None:
        self.tastes = tastes
        self.contexts = _contexts(tastes, n_requests, rng)
        self._effects = _Effects(tastes, n_requests, rng)
        self.probabilities = self._effects.probabilities(np.arange(n_requests), self.contexts)
        shape = (n_requests, len(tastes.examined))
        # Drawn beforehand, so that two policies meet the same luck.
        self._likes = rng.random(shape)
        self._looks = rng.random(shape)
        means = np.where(rng.random(shape) < tastes.late_share, tastes.late, tastes.prompt)
        self._delays = rng.exponential(means, (2, *shape)).astype(np.int64) + 1
        self._fates = rng.random(shape)

    @property
    def n_requests(self) -> int:
        return len(self.contexts)

    def rates(self, request: int, context: int) -> Float64:
        """The chance that the request likes what each arm places, were it made in ``context``.

        float64 ``(n_arms,)``.
        """
        (rates,) = self._effects.probabilities(np.array([request]), np.array([context]))
        return np.asarray(rates)

    def answers(self, request: int, arms: Sequence[int], context: int | None = None) -> list[Answer]:
        """What request number ``request`` says to a slate whose slots were filled by ``arms``.

        Slots count from 0; at most ``len(tastes.examined)`` of them. ``context`` None is the request's own;
        a site finds out itself in which one a slate is made.
        """
        rates = self.probabilities[request] if context is None else self.rates(request, context)
        return self.answers_to(request, rates[list(arms)])

    def answers_to(self, request: int, chances: Float64) -> list[Answer]:
        """What request number ``request`` says to a slate whose slots are liked with ``chances``, float64
        ``(n_slots,)``."""
        found = []
        for slot, chance in enumerate(chances.tolist()):
            liked = self._likes[request, slot] < chance
            if liked and self._looks[request, slot] < self.tastes.examined[slot]:
                found.append(Answer(slot, self._arrivals(request, slot)))
        return found

    def expected(self, request: int, arms: Sequence[int]) -> float:
        """The mean number of liked films that are looked at."""
        chances = self.probabilities[request, list(arms)]
        return float(chances @ np.asarray(self.tastes.examined[: len(arms)]))

    def _arrivals(self, request: int, slot: int) -> tuple[int, ...]:
        fate = self._fates[request, slot]
        if fate < self.tastes.lost:
            return ()
        times = 2 if fate > 1 - self.tastes.doubled else 1
        return tuple(self._delays[:times, request, slot].tolist())


class Learner(Protocol):
    """What plays against a public: it fills the slots of a slate, and is told what became of them."""

    def choose(self, request: int, context: int) -> Sequence[int]:
        """The arm of each slot."""
        ...

    def reward(self, request: int, context: int, arm: int) -> None:
        """A film of ``arm`` that was shown at ``request`` is liked; told at most once a slot."""
        ...


@dataclass
class Record:
    """What came of a run. ``expected`` and ``best`` are float64 ``(n_requests,)``: the mean reward of what
    was chosen, and of the best arm in all slots; ``chosen`` int64 ``(n_requests, n_slots)``.
    """

    expected: Float64
    best: Float64
    chosen: Int64 = field(repr=False)

    def regret(self, until: int | None = None) -> float:
        """The reward missed over the first ``until`` requests."""
        return float((self.best - self.expected)[:until].sum())

    def reward(self, until: int | None = None) -> float:
        """The mean reward a request over the first ``until``."""
        return float(self.expected[:until].mean())


def play(public: Public, learner: Learner) -> Record:
    """Every request of the public in turn, each answer told when it arrives, a second one left out.

    Keeping out what is told twice is the work of the log, not of a learner.
    """
    examined = np.asarray(public.tastes.examined)
    due: dict[int, list[tuple[int, int, int, int]]] = {}
    told: set[tuple[int, int]] = set()
    expected = np.zeros(public.n_requests)
    chosen = np.zeros((public.n_requests, len(examined)), dtype=np.int64)
    for request in range(public.n_requests):
        for shown_at, slot, context, arm in due.pop(request, ()):
            if (shown_at, slot) not in told:
                told.add((shown_at, slot))
                learner.reward(shown_at, context, arm)
        context = int(public.contexts[request])
        arms = learner.choose(request, context)
        chosen[request] = arms
        expected[request] = public.expected(request, arms)
        for answer in public.answers(request, arms):
            for arrival in answer.arrivals:
                due.setdefault(request + arrival, []).append(
                    (request, answer.slot, context, int(arms[answer.slot]))
                )
    return Record(expected, public.probabilities.max(axis=1) * examined.sum(), chosen)


def _contexts(tastes: Tastes, n_requests: int, rng: np.random.Generator) -> Int64:
    spots = [rng.choice(len(shares), size=n_requests, p=shares) for shares in tastes.marginals]
    return np.ravel_multi_index(spots, CONTEXT_SIZES).astype(np.int64)


class _Effects:
    """What makes up the chance to be liked, drawn once."""

    def __init__(self, tastes: Tastes, n_requests: int, rng: np.random.Generator) -> None:
        n_arms = tastes.n_arms
        by_arm = rng.normal(0, tastes.arm, n_arms)
        own = rng.normal(0, tastes.cell, (N_CONTEXTS, n_arms))
        for part, size in enumerate(CONTEXT_SIZES):
            own += rng.normal(0, tastes.part, (size, n_arms))[_SPOTS[:, part]]
        step = tastes.drift / np.sqrt(max(n_requests, 1))
        self._walks = rng.normal(0, step, (n_requests, CONTEXT_SIZES[_SEGMENT], n_arms)).cumsum(axis=0)
        self._cells = tastes.base + by_arm + own
        self._swap = by_arm[rng.permutation(n_arms)] - by_arm
        self._swapped_from = n_requests // 2 if tastes.is_permuted else n_requests

    def probabilities(self, requests: Int64, contexts: Int64) -> Float64:
        """Of each request in its context: ``(n, n_arms)`` for two of ``(n,)``."""
        logits = self._cells[contexts] + self._walks[requests, _SPOTS[contexts, _SEGMENT]]
        logits[(requests >= self._swapped_from) & _IS_SWAPPED[contexts]] += self._swap
        return np.asarray(expit(logits))
