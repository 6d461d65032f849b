"""Named ways to hold ratings back, and what counts as a hit under each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from apps.algorithms.splitting import (
    Split,
    k_fold,
    leave_last_out,
    newcomer_split,
    random_split,
    stratified_split,
    temporal_split,
)
from apps.algorithms.types import LIKED_FROM, Interactions

FOLDS = 5


@dataclass(frozen=True)
class Protocol:
    """``relevant`` is the rating from which on a held-back film counts as a hit; None counts all.

    One that ``takes_turns`` holds back each of ``folds_of(share)`` equal parts once.
    """

    name: str
    description: str
    test_share: float
    relevant: float | None
    splits: Callable[[Interactions, np.random.Generator, float], Iterator[Split]]
    takes_turns: bool = False


def folds_of(share: float) -> int:
    """How many parts there are of which each is nearest to ``share``; at least 2."""
    return max(2, round(1 / share))


def _once(
    split: Callable[[Interactions, np.random.Generator, float], Split],
) -> Callable[..., Iterator[Split]]:
    return lambda data, rng, share: iter([split(data, rng, share)])


PROTOCOLS: Mapping[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "last",
            "each viewer's newest ratings",
            0.2,
            LIKED_FROM,
            _once(lambda data, rng, share: leave_last_out(data, share=share)),
        ),
        Protocol(
            "within-viewer",
            "random ratings of each viewer",
            0.25,
            None,
            _once(lambda data, rng, share: stratified_split(data, rng, test_share=share)),
        ),
        Protocol(
            "within-film",
            "random ratings of each film",
            0.25,
            None,
            _once(lambda data, rng, share: stratified_split(data, rng, test_share=share, by="film")),
        ),
        Protocol(
            "random",
            "random ratings, whoever gave them",
            0.2,
            LIKED_FROM,
            _once(lambda data, rng, share: random_split(data, rng, test_share=share)),
        ),
        Protocol(
            "temporal",
            "everything after one moment",
            0.2,
            LIKED_FROM,
            _once(lambda data, rng, share: temporal_split(data, test_share=share)),
        ),
        Protocol(
            "newcomers",
            "all but the first five ratings of viewers whom no arm was fitted on",
            0.2,
            LIKED_FROM,
            _once(lambda data, rng, share: newcomer_split(data, rng, test_share=share)),
        ),
        Protocol(
            "k-fold",
            "each rating once, in one of five parts",
            1 / FOLDS,
            LIKED_FROM,
            lambda data, rng, share: k_fold(data, rng, folds=folds_of(share)),
            takes_turns=True,
        ),
    )
}
"""By name; the first is the one that decides about arms."""
