"""The log of what was tried to make the model better, and what came of it."""

from collections.abc import Mapping
from typing import Any

from apps.algorithms.arms.svd import Svd
from apps.training.models import ModelUpdateLog, ModelVersion, TrainingRun, UpdateType
from apps.training.services.fitting import Fitted
from apps.training.services.work import Work


def note_success(
    *, work: Work, version: ModelVersion, update_type: UpdateType, n_learned: int
) -> ModelUpdateLog:
    """``version`` serves now, or still where there was nothing to learn."""
    return _note(
        work.run,
        work.elapsed,
        update_type=update_type,
        ratings_processed=n_learned,
        metrics=_metrics(version),
        version=version.name,
    )


def note_refusal(*, work: Work, version: ModelVersion, n_learned: int) -> ModelUpdateLog:
    """``version`` was made, and does not serve."""
    return _note(
        work.run,
        work.elapsed,
        update_type=UpdateType(version.update_type),
        ratings_processed=n_learned,
        metrics=_metrics(version),
        version=version.name,
        success=False,
        error_message=version.refused_because,
    )


def note_failure(*, run: TrainingRun, seconds: float, error: str) -> ModelUpdateLog:
    """No version was made."""
    return _note(run, seconds, update_type=UpdateType(run.update_type), success=False, error_message=error)


def svd_metrics(fitted: Fitted) -> Mapping[str, Any]:
    """What the decomposition holds of the ratings."""
    svd = fitted.arms.get("svd")
    if not isinstance(svd, Svd):
        return {}
    ratio = svd.explained_variance(fitted.corpus.interactions)
    return {
        "explained_variance_ratio": None if ratio is None else round(ratio, 4),
        "n_components": int(svd.arrays()["factors"].shape[1]),
    }


def _metrics(version: ModelVersion) -> dict[str, Any]:
    told = ("explained_variance_ratio", "n_components", "ndcg", "coverage", "overlap", "rows_read", "seconds")
    known = {name: version.metrics[name] for name in told if name in version.metrics}
    return {**known, "n_users": version.n_users, "n_movies": version.n_movies, "checks": version.checks}


def _note(run: TrainingRun, seconds: float, **facts: Any) -> ModelUpdateLog:
    return ModelUpdateLog.objects.create(
        model_type=run.recipe.name,
        update_trigger=run.trigger,
        duration_seconds=seconds,
        run=run,
        **facts,
    )
