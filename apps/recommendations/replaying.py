"""A slate of the log made again from what its row holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import numpy as np

from apps.algorithms.registry import ARMS
from apps.algorithms.reranking import Weighing
from apps.algorithms.strategy import Strategy, parse_strategy
from apps.algorithms.types import Bool, History
from apps.core.errors import Conflict, NotFound
from apps.events.models import RecommendationEvent, Slate
from apps.events.packing import unpack_history, unpack_ids
from apps.recommendations.drawing import Drawn, strategy_of
from apps.recommendations.films import hidden_ids
from apps.recommendations.placing import Folding, make_pickers, place
from apps.recommendations.services.drafting import history_of
from apps.training.artifacts import ArtifactRefused
from apps.training.models import ModelVersion
from apps.training.registry import Engine, Stored, load_engine
from apps.training.registry import engine as live_engine

NARROWED = frozenset({"genre", "only"})
N_ENGINES = 2
"""Versions that serve no more and are kept in memory: of the lists that somebody looks at."""


@dataclass(frozen=True)
class Film:
    """One slot: who placed which film, with what score."""

    movie_id: int
    algorithm: str
    score: float


@dataclass(frozen=True)
class Replay:
    """``shown`` as logged and ``again`` as made now, in order of the slots."""

    slate: Slate
    shown: Sequence[Film]
    again: Sequence[Film]

    @property
    def is_same(self) -> bool:
        """Films and arms slot by slot; scores up to the rounding of a sum in another order."""
        if [(one.movie_id, one.algorithm) for one in self.shown] != [
            (one.movie_id, one.algorithm) for one in self.again
        ]:
            return False
        return np.allclose([one.score for one in self.shown], [one.score for one in self.again], rtol=1e-4)


def replay(slate_id: UUID) -> Replay:
    """The slate once more, by the version, history, owners and diversity of its row.

    Films hidden since do not change it. Raises ``NotFound`` for a slate that is none, and ``Conflict`` saying
    which part is gone.
    """
    slate = Slate.objects.filter(pk=slate_id).first()
    if slate is None:
        raise NotFound(f"There is no slate {slate_id}.")
    gone = _what_is_gone(slate)
    if gone:
        raise Conflict(gone)
    engine = engine_of(slate)
    shown = [
        Film(*row)
        for row in RecommendationEvent.objects.filter(slate=slate)
        .order_by("position")
        .values_list("movie_id", "algorithm", "recommendation_score")
    ]
    found = Replay(slate, shown, _again(slate, engine, hidden=()))
    # Films hidden at that time were kept out only where one of them would have been on the list.
    return (
        found if found.is_same else Replay(slate, shown, _again(slate, engine, hidden=sorted(hidden_ids())))
    )


def _what_is_gone(slate: Slate) -> str:
    """A sentence; empty where all that the slate came from is in its row."""
    if slate.unit_key is None:
        return f"Slate {slate.pk} was of somebody who was erased: the history that it came from is gone."
    if slate.degraded:
        return (
            f"Slate {slate.pk} was degraded ({slate.degraded}): popular films stood in for those of an arm."
        )
    narrowed = NARROWED.intersection(slate.overridden_by.split(","))
    if narrowed:
        return (
            f"Slate {slate.pk} was narrowed by {' and '.join(sorted(narrowed))}: to which films is not kept."
        )
    return ""


def engine_of(slate: Slate) -> Engine:
    """The version that made the slate, whether or not it serves. No query where it does, else one.

    Raises ``Conflict`` where its files were removed or are refused.
    """
    live = live_engine(slate.recipe)
    if live is not None and live.version == slate.model_version:
        return live
    version = ModelVersion.objects.filter(name=slate.model_version, recipe__name=slate.recipe).first()
    if version is None or not version.artifact:
        raise Conflict(
            f"The files of version {slate.model_version} were removed: the slate cannot be made again."
        )
    stored = Stored(version.name, version.artifact, version.manifest_sha256)
    try:
        return _engine(stored, slate.recipe)
    except ArtifactRefused as refusal:
        raise Conflict(
            f"Version {slate.model_version} cannot be loaded ({refusal.reason}): {refusal}"
        ) from refusal


@lru_cache(maxsize=N_ENGINES)
def _engine(stored: Stored, recipe: str) -> Engine:
    return load_engine(stored, recipe=recipe)


def weigh(slate: Slate, engine: Engine, movie_ids: Sequence[int]) -> list[Weighing | None]:
    """What spoke for and against each film of the slate, ``movie_ids`` in order of its slots.

    None for one that no arm placed, or that the arms cannot place any more. ``engine`` is the version that
    made the slate; of a slate that cannot be made again all are None.
    """
    unknown: list[Weighing | None] = [None] * len(movie_ids)
    if _what_is_gone(slate):
        return unknown
    drawn, history, blocked = _inputs(slate, engine)
    folds = Folding(engine, history).of(drawn.arms)
    pickers = make_pickers(engine, folds, slate.diversity, blocked=blocked, n=len(drawn.owners))
    items = engine.items.indices(movie_ids).tolist()
    return [
        pickers[owner].weigh(item, items[:spot]) if item >= 0 else None
        for spot, (item, owner) in enumerate(zip(items, drawn.owners.tolist(), strict=False))
    ]


def _again(slate: Slate, engine: Engine, *, hidden: Sequence[int]) -> list[Film]:
    drawn, history, blocked = _inputs(slate, engine, hidden=hidden)
    placed = place(Folding(engine, history), drawn, diversity=slate.diversity, blocked=blocked)
    ids = engine.items.ids
    return [Film(int(ids[one.item]), one.algorithm, float(one.score)) for one in placed.placements]


def _inputs(slate: Slate, engine: Engine, *, hidden: Sequence[int] = ()) -> tuple[Drawn, History, Bool]:
    """The owners, the viewer's history, and a mask ``(n_items,)`` of what was kept out."""
    history = unpack_history(bytes(slate.history))
    kept_out = [*unpack_ids(bytes(slate.exclusions)), *(movie_id for movie_id, _ in history), *hidden]
    blocked = np.zeros(engine.n_items, dtype=np.bool_)
    indices = engine.items.indices(kept_out)
    blocked[indices[indices >= 0]] = True
    return _drawn(slate), history_of(engine, history), blocked


def _drawn(slate: Slate) -> Drawn:
    """The owners as logged: nothing is drawn again."""
    arms = _arms(slate, parse_strategy(slate.strategy_config, ARMS))
    spots = {arm: spot for spot, arm in enumerate(arms)}
    owners = np.array([spots[arm] for arm in slate.owners], dtype=np.int64)
    return Drawn(arms, owners, tuple(1 / len(arms) for _ in arms))


def _arms(slate: Slate, strategy: Strategy) -> tuple[str, ...]:
    """Who took part, in the order in which one passes to the next."""
    if slate.bandit_version is None:
        return strategy_of("fixed", strategy).arms
    # Of frozen weights the database may have changed the order; the bandit's arms are sorted.
    return tuple(slate.posterior.get("arms") or sorted(slate.posterior["weights"]))
