"""The only list of arms. A new arm is one file in ``arms/`` and one line in ``ARMS``."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from apps.algorithms.arms.als import Als
from apps.algorithms.arms.content import Content
from apps.algorithms.arms.embeddings import Embeddings
from apps.algorithms.arms.genre import Genre
from apps.algorithms.arms.graph import Graph
from apps.algorithms.arms.hybrid import Hybrid
from apps.algorithms.arms.item_cf import ItemCf
from apps.algorithms.arms.learned import ConfiguredArm
from apps.algorithms.arms.long_tail import LongTail
from apps.algorithms.arms.popular import Popular
from apps.algorithms.arms.sequence import Sequence
from apps.algorithms.arms.serendipity import Serendipity
from apps.algorithms.arms.svd import Svd
from apps.algorithms.base import InvalidParameter, Recommender
from apps.algorithms.deltas import Delta
from apps.algorithms.types import Arrays, Interactions, Parameters

ARMS: Mapping[str, type[ConfiguredArm]] = {
    "popular": Popular,
    "genre": Genre,
    "content": Content,
    "svd": Svd,
    "als": Als,
    "item_cf": ItemCf,
    "sequence": Sequence,
    "embeddings": Embeddings,
    "graph": Graph,
    "long_tail": LongTail,
    "serendipity": Serendipity,
    "hybrid": Hybrid,
}
"""Each arm's class by name; a class's ``settings_class`` holds its default parameters."""


def default_parameters(name: str) -> Parameters:
    """The parameters of an arm as it comes. Raises ``InvalidParameter`` for an unknown arm."""
    return make_arm(name).parameters


def make_arm(name: str, parameters: Parameters | None = None) -> ConfiguredArm:
    """An unfitted arm; one that is made of others comes linked to new ones with their defaults.

    Raises ``InvalidParameter`` for an unknown arm or parameter, saying what exists.
    """
    arm = _bare_arm(name, parameters)
    return arm.link({part: make_arm(part) for part in arm.needs})


def with_needs(names: Iterable[str], parameters: Mapping[str, Parameters] | None = None) -> tuple[str, ...]:
    """``names`` and the arms that they are made of, in registry order, each once."""
    wanted = set(names)
    for name in tuple(wanted):
        wanted.update(_bare_arm(name, (parameters or {}).get(name)).needs)
    return tuple(name for name in ARMS if name in wanted)


def vector_readers(
    names: Iterable[str], parameters: Mapping[str, Parameters] | None = None
) -> tuple[str, ...]:
    """Those of ``names`` that read films' vectors, or are made of an arm that does; each once."""
    return tuple(
        name
        for name in dict.fromkeys(names)
        if any(ARMS[part].reads_vectors for part in with_needs([name], parameters))
    )


def fit_arms(
    names: Iterable[str],
    interactions: Interactions,
    rng: np.random.Generator,
    *,
    parameters: Mapping[str, Parameters] | None = None,
    before_each: Callable[[str], None] | None = None,
) -> dict[str, Recommender]:
    """``names`` and whatever they are made of, each fitted once, linked, in registry order.

    ``parameters`` holds parameters by arm; arms it leaves out have their defaults. ``before_each``
    is told each arm's name before its fit. An arm's stream of chance depends on its name alone,
    not on which others are fitted beside it.
    """
    streams = dict(zip(ARMS, rng.spawn(len(ARMS)), strict=True))
    given = parameters or {}
    arms = {name: _bare_arm(name, given.get(name)) for name in with_needs(names, given)}
    for name, arm in arms.items():
        if before_each:
            before_each(name)
        # In registry order an arm comes after those that it is made of.
        arm.link(arms).learn(interactions, streams[name])
    return dict(arms)


def update_arms(
    arms: Mapping[str, Recommender],
    delta: Delta,
    rng: np.random.Generator,
    *,
    before_each: Callable[[str], None] | None = None,
) -> dict[str, Recommender]:
    """Each of ``arms``, which hold all that are needed, after the delta: new ones, linked, in registry order.

    Streams of chance and ``before_each`` as in ``fit_arms``.
    """
    streams = dict(zip(ARMS, rng.spawn(len(ARMS)), strict=True))
    updated: dict[str, Recommender] = {}
    for name in (name for name in ARMS if name in arms):
        if before_each:
            before_each(name)
        arm = _bare_arm(name, arms[name].parameters)
        if arm.needs:
            # In registry order an arm comes after those that it is made of.
            updated[name] = arm.link(updated).learn(delta.after, streams[name])
        else:
            updated[name] = arms[name].update(delta, streams[name])
    return updated


def loose_among(arms: Mapping[str, Recommender]) -> list[str]:
    """Names of those that are worth ``compact_arms``."""
    return [name for name, arm in arms.items() if arm.is_loose]


def compact_arms(
    arms: Mapping[str, Recommender], *, before_each: Callable[[str], None] | None = None
) -> dict[str, Recommender]:
    """``arms``, which hold all that are needed, each ``compacted``: new ones where they refer to others."""
    done: dict[str, ConfiguredArm] = {}
    for name in (name for name in ARMS if name in arms):
        if before_each:
            before_each(name)
        arm, bare = arms[name], _bare_arm(name, arms[name].parameters)
        done[name] = bare.from_arrays(arm.parameters, arm.arrays()) if bare.needs else arm.compacted()  # type: ignore[assignment] # all arms are configured
    return _linked(done)


def load_arms(saved: Mapping[str, tuple[Parameters, Arrays]]) -> dict[str, Recommender]:
    """Arms from their saved parameters and arrays, linked; ``saved`` holds all that are needed."""
    return _linked(
        {
            name: _arm_class(name).from_arrays(parameters, arrays)
            for name, (parameters, arrays) in saved.items()
        }
    )


def _linked(arms: Mapping[str, ConfiguredArm]) -> dict[str, Recommender]:
    return {name: arm.link(arms) for name, arm in arms.items()}


def _bare_arm(name: str, parameters: Parameters | None) -> ConfiguredArm:
    return _arm_class(name)(**(parameters or {}))


def _arm_class(name: str) -> type[ConfiguredArm]:
    if name not in ARMS:
        raise InvalidParameter(f"There is no arm {name!r}; the arms are: {', '.join(ARMS)}.")
    return ARMS[name]
