"""The log of what was tried to make the model better, and what came of it."""

from typing import Any

from apps.training.models import ModelUpdateLog, ModelVersion, TrainingRun, UpdateType


def note_version(
    *, run: TrainingRun, version: ModelVersion, update_type: UpdateType, n_learned: int, seconds: float
) -> ModelUpdateLog:
    """``version`` serves now, or still where there was nothing to learn; or it was made and is refused."""
    is_refused = version.status == ModelVersion.Status.REFUSED
    return _note(
        run,
        update_type=update_type,
        ratings_processed=n_learned,
        metrics=_metrics(version),
        version=version.name,
        success=not is_refused,
        # One that staff let serve keeps its reason too.
        error_message=version.refused_because if is_refused else "",
        duration_seconds=seconds,
    )


def note_failure(*, run: TrainingRun, seconds: float, error: str) -> ModelUpdateLog:
    """No version was made."""
    return _note(
        run, update_type=run.update_type, success=False, error_message=error, duration_seconds=seconds
    )


def _metrics(version: ModelVersion) -> dict[str, Any]:
    told = ("explained_variance_ratio", "n_components", "ndcg", "coverage", "overlap", "rows_read", "seconds")
    known = {name: version.metrics[name] for name in told if name in version.metrics}
    return {**known, "n_users": version.n_users, "n_movies": version.n_movies, "checks": version.checks}


def _note(run: TrainingRun, **facts: Any) -> ModelUpdateLog:
    return ModelUpdateLog.objects.create(
        model_type=run.recipe.name, update_trigger=run.trigger, run=run, **facts
    )
