"""Whatever makes lists: an arm, or a draft of arms with its re-ranking."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from apps.algorithms.base import Recommender
from apps.algorithms.reranking import Reranking, make_picker, tempered
from apps.algorithms.top import top_items
from apps.algorithms.traits import FilmTraits
from apps.algorithms.types import Bool, History, Int64

BATCH = 256


class ListMaker(Protocol):
    """Answers histories with lists of films."""

    def lists(self, histories: Sequence[History], *, excluded: Bool, n: int) -> list[Int64]:
        """For each history the best ``n`` films, int64, best first.

        None of the history and none of ``excluded``, bool ``(n_items,)``; fewer than ``n`` when there
        are no more, and none at all from what knows nothing of the viewer.
        """


class ArmLists:
    """An arm's own order: every film is a candidate (full ranking, never a sample)."""

    def __init__(self, model: Recommender) -> None:
        self._model = model

    def lists(self, histories: Sequence[History], *, excluded: Bool, n: int) -> list[Int64]:
        made = []
        for batch in _batches(histories):
            # Copied: an arm may hand out its own array for everybody.
            for row, history in zip(self._model.scores(batch), batch, strict=True):
                scores = np.where(excluded, np.float32(-np.inf), row)
                scores[history.items] = -np.inf
                made.append(top_items(scores, n) if row.any() else np.empty(0, dtype=np.int64))
        return made


class RerankedLists:
    """An arm's films as a slate of ``n`` places them under a strategy of that ``diversity``, above 0."""

    def __init__(self, model: Recommender, traits: FilmTraits, diversity: float) -> None:
        self._model = model
        self._traits = traits
        self._diversity = diversity

    def lists(self, histories: Sequence[History], *, excluded: Bool, n: int) -> list[Int64]:
        return [self._list(history, excluded, n) for history in histories]

    def _list(self, history: History, excluded: Bool, n: int) -> Int64:
        blocked = excluded.copy()
        blocked[history.items] = True
        picker = make_picker(
            self._model.fold(history).scores,
            excluded=blocked,
            n_slots=n,
            reranking=Reranking(self._traits, tempered(self._diversity, len(history))),
            personal=self._model.personal,
        )
        slate: list[int] = []
        while len(slate) < n and (pick := picker.pick(slate)) is not None:
            slate.append(pick.item)
        return np.array(slate, dtype=np.int64)


def _batches(histories: Sequence[History]) -> Iterator[Sequence[History]]:
    return (histories[start : start + BATCH] for start in range(0, len(histories), BATCH))
