"""For edges: what they call once somebody's ratings changed, and what they answer of it."""

from dataclasses import dataclass
from typing import Any

from apps.core.nudges import nudge
from apps.training.backlog import Backlog, backlog
from apps.training.models import TrainingRun
from apps.training.services import request_if_due
from apps.training.tasks import fit


@dataclass(frozen=True)
class Learning:
    """``run`` is the update that this call asked for, None where it asked for none."""

    waiting: Backlog
    run: TrainingRun | None


def learn(recipe: str) -> Learning:
    """Counts what the recipe's live version has yet to learn, and asks a worker for an update that is due.

    Two queries; some more where an update is due.
    """
    waiting = backlog(recipe)
    run = request_if_due(recipe, waiting.trigger)
    if run is not None:
        nudge(fit, run.pk)
    return Learning(waiting, run)


def learning_json(learning: Learning) -> dict[str, Any]:
    """``online_learning`` and ``model_update`` of an answer."""
    waiting, run = learning.waiting, learning.run
    return {
        "online_learning": {
            "buffer_size": waiting.buffer_size,
            "should_update": waiting.should_update,
            "total_processed": waiting.total_processed,
        },
        "model_update": run and {"triggered": True, **run_json(run)},
    }


def run_json(run: TrainingRun) -> dict[str, Any]:
    """Which run it is, and where to follow it."""
    return {"run_id": run.pk, "status_url": f"/api/v1/training/runs/{run.pk}"}
