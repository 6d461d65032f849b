"""What must hold of a version before it serves: it is whole, and a refit is not worse than what serves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.algorithms.metrics import ndcg_at_k
from apps.algorithms.top import top_items
from apps.algorithms.types import LIKED_FROM, Float32, History, Int64
from apps.core.errors import Conflict
from apps.training.artifacts import Artifact
from apps.training.corpus import Corpus
from apps.training.engines import Engine
from apps.training.gate import Check
from apps.training.models import UpdateType

N_PEOPLE = 120
LEAST_RATINGS = 5
HELD_BACK = 0.2
TOP, NDCG_TOP = 20, 10
ARM = "hybrid"
LEAST_NDCG = {UpdateType.WARM_START: 0.99, UpdateType.FULL: 0.98}
"""Of what serves."""
FEW, LEAST_NDCG_OF_FEW = 50, 0.9
"""With fewer people of whom it is known what they liked, one list more or less decides."""
LEAST_OVERLAP = 0.6
LEAST_COVERAGE = 0.9
"""Of what serves."""
_N_TRIED = 5


@dataclass(frozen=True)
class Member:
    """Somebody of the panel: the films that they rated first, oldest first, and what they liked later."""

    films: Int64
    stars: Float32
    liked: frozenset[int]


@dataclass(frozen=True)
class Lists:
    """What the blend recommends to each of the panel: ids of films, the best first."""

    films: Sequence[list[int]]
    n_items: int

    @property
    def coverage(self) -> float:
        """The share of all films that are on somebody's list."""
        return len({film for films in self.films for film in films}) / self.n_items

    def ndcg(self, panel: Sequence[Member]) -> float | None:
        """The mean over those of whom it is known what they liked later; None where of nobody is."""
        found = [
            ndcg_at_k(films, member.liked, NDCG_TOP) or 0.0
            for films, member in zip(self.films, panel, strict=True)
            if member.liked
        ]
        return fmean(found) if found else None

    def overlap(self, other: "Lists") -> float:
        """The median share of a list of ``other`` that is on this one too; 1 where nobody has any."""
        shares = [
            len(set(ours) & set(theirs)) / len(theirs)
            for ours, theirs in zip(self.films, other.films, strict=True)
            if theirs
        ]
        return median(shares) if shares else 1.0


def require_sound(
    engine: Engine, artifact: Artifact, panel: Sequence[Member], *, but: Artifact | None
) -> None:
    """Raises ``Conflict`` naming the array or arm that holds numbers that are not finite.

    Arrays that are those of ``but`` were looked at when that began to serve.
    """
    _check_arrays(artifact, but)
    histories = [History.empty(), *(_history(engine, member) for member in panel[:_N_TRIED])]
    for name, arm in engine.arms.items():
        if not np.isfinite(arm.scores(histories)).all():
            raise Conflict(f"{name} gives scores that are not finite; the version before serves on.")
    stars = engine.predictor.predict(histories[-1], np.arange(engine.n_items, dtype=np.int64))
    if not np.isfinite(stars).all():
        raise Conflict("The predicted ratings are not finite; the version before serves on.")


def panel_of(corpus: Corpus) -> list[Member]:
    """The same people for as long as they are there: up to ``N_PEOPLE``, by a number made of their ids.

    The newest fifth of each one's ratings is held back. Versions learned from these ratings too, so what
    is measured on them tells two versions apart and not how good either is.
    """
    # What people said, whatever else the recipe learns from.
    corpus = replace(corpus, interactions=corpus.interactions.explicit)
    counts = np.diff(corpus.interactions.ratings.indptr)
    fit = np.flatnonzero(counts >= LEAST_RATINGS)
    chosen = fit if len(fit) else np.flatnonzero(counts)
    order = np.argsort(_mixed(corpus.people[chosen]), kind="stable")
    return [_member(corpus, int(row)) for row in chosen[order][:N_PEOPLE]]


def lists_of(engine: Engine, panel: Sequence[Member]) -> Lists:
    """Raises ``Conflict`` when nobody would be recommended anything."""
    films = [_list(engine, member) for member in panel]
    if not any(films):
        raise Conflict("No film would be recommended to anybody; the version before serves on.")
    return Lists(films, engine.n_items)


def compare_lists(ours: Lists, live: Lists, panel: Sequence[Member], update_type: UpdateType) -> list[Check]:
    """A refit beside the version that serves."""
    checks = [
        Check("overlap", round(ours.overlap(live), 4), LEAST_OVERLAP),
        Check("coverage", round(ours.coverage, 4), round(LEAST_COVERAGE * live.coverage, 4)),
    ]
    reached, served = ours.ndcg(panel), live.ndcg(panel)
    if reached is not None and served is not None:
        is_many = sum(bool(member.liked) for member in panel) >= FEW
        least = LEAST_NDCG[update_type] if is_many else LEAST_NDCG_OF_FEW
        checks.insert(0, Check("nDCG@10", round(reached, 4), round(least * served, 4)))
    return checks


def _check_arrays(artifact: Artifact, but: Artifact | None) -> None:
    known = {spec.sha256 for spec in but.specs.values()} if but else frozenset()
    for name, spec in artifact.specs.items():
        group, _, array = name.partition(".")
        numbers = artifact.groups[group][array]
        if spec.sha256 not in known and numbers.dtype.kind == "f" and not _is_finite(numbers):
            raise Conflict(f"{name} holds numbers that are not finite; the version before serves on.")


def _is_finite(numbers: npt.NDArray[Any]) -> bool:
    """A sum over what is not finite is not finite either, and takes a fifth of the time."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(numbers.sum(dtype=numbers.dtype)) or np.isfinite(numbers).all())


def _member(corpus: Corpus, row: int) -> Member:
    history = corpus.interactions.history(row)
    films = corpus.interactions.items.ids[history.items]
    n_known = len(films) - max(round(HELD_BACK * len(films)), 1) if len(films) > 1 else len(films)
    later = films[n_known:][history.values[n_known:] >= LIKED_FROM]
    return Member(films[:n_known], history.values[:n_known], frozenset(later.tolist()))


def _history(engine: Engine, member: Member) -> History:
    """Without films that the engine does not know."""
    spots = engine.items.indices(member.films)
    return History(items=spots[spots >= 0], values=member.stars[spots >= 0])


def _list(engine: Engine, member: Member) -> list[int]:
    history = _history(engine, member)
    scores = engine.arms[ARM].fold(history).scores.copy()
    if not scores.any():
        return []
    scores[history.items] = -np.inf
    found: list[int] = engine.items.ids[top_items(scores, TOP)].tolist()
    return found


def _mixed(ids: Int64) -> Int64:
    """A number made of each id that says nothing of when the person came (the finaliser of splitmix64)."""
    mixed = ids.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return (mixed >> np.uint64(1)).astype(np.int64)
