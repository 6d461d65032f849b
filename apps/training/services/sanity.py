"""What must hold of any version before it serves, whatever it was fitted on."""

import numpy as np

from apps.algorithms.top import top_items
from apps.algorithms.types import History, Interactions
from apps.core.errors import Conflict
from apps.training.artifacts import Artifact
from apps.training.engines import Engine

N_PEOPLE = 50
TOP = 10


def check_engine(
    engine: Engine, artifact: Artifact, interactions: Interactions, rng: np.random.Generator
) -> float:
    """The share of films that the blend puts into the top ten of some fifty people.

    Raises ``Conflict`` naming the array or arm that holds numbers that are not finite, or when nobody
    would be recommended anything.
    """
    _check_arrays(artifact)
    histories = [History.empty(), *_sample(interactions, rng)]
    for name, arm in engine.arms.items():
        if not np.isfinite(arm.scores(histories[:5])).all():
            raise Conflict(f"{name} gives scores that are not finite; the version before serves on.")
    stars = engine.predictor.predict(histories[-1], np.arange(engine.n_items, dtype=np.int64))
    if not np.isfinite(stars).all():
        raise Conflict("The predicted ratings are not finite; the version before serves on.")
    rows = engine.arms["hybrid"].scores(histories)
    shown = np.unique(np.concatenate([top_items(row, TOP) for row in rows]))
    if len(shown) == 0:
        raise Conflict("No film would be recommended to anybody; the version before serves on.")
    return len(shown) / engine.n_items


def _check_arrays(artifact: Artifact) -> None:
    for group, arrays in artifact.groups.items():
        for name, array in arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise Conflict(
                    f"{group}.{name} holds numbers that are not finite; the version before serves on."
                )


def _sample(interactions: Interactions, rng: np.random.Generator) -> list[History]:
    n_people = min(N_PEOPLE, interactions.n_users)
    chosen = rng.choice(interactions.n_users, size=n_people, replace=False)
    return [interactions.history(int(user)) for user in np.sort(chosen)]
