"""One fit of one recipe: read, learn, write, check, activate."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from django.db import transaction
from django.utils import timezone
from threadpoolctl import threadpool_limits

from apps.algorithms.base import InvalidParameter, Recommender
from apps.algorithms.prediction import RatingPredictor
from apps.algorithms.registry import ARMS, fit_arms
from apps.algorithms.types import Interactions
from apps.core.errors import ApplicationError, Conflict, InvalidInput
from apps.training.artifacts import Artifact, discard_artifact, save_artifact
from apps.training.datasets import build_interactions
from apps.training.engines import pack_engine, unpack_engine
from apps.training.models import ModelVersion, TrainingRun
from apps.training.parameters import split_parameters
from apps.training.services.runs import (
    artifact_name,
    artifact_path,
    begin_run,
    enter_phase,
    fail_run,
    request_run,
    signs_of_life,
    succeed_run,
    take_up_run,
)
from apps.training.services.sanity import check_engine
from apps.training.services.versions import activate, remove_old_artifacts

logger = logging.getLogger(__name__)

SEED = 20_011_103
"""Two fits of the same rows give the same arrays."""
STEPS = ("read ratings", *ARMS, "predicted ratings", "save", "check")

Progress = Callable[[str], None]
"""Told the name of each of ``STEPS`` as it begins."""


def train(
    *,
    recipe: str = "standard",
    trigger: str = "manual",
    progress: Progress | None = None,
    run_id: int | None = None,
) -> ModelVersion:
    """The new live version of ``recipe``. ``run_id`` names a run that was taken up
    (``take_up_run``), to be fitted instead of a new one.

    Takes every core and several times the memory of the ratings: call it in a process of its own
    (``start_retrain``). Raises ``Conflict`` while another run is alive, when there is nothing to learn
    from and when the result fails its checks. Whatever goes wrong, the run says so, no file is left
    and the version before stays live.
    """
    run = begin_run(run_id=run_id or _take_up_new(recipe, trigger))
    try:
        with signs_of_life(run):
            version = _fit(_Work(run, progress or (lambda step: None)))
    except BaseException as error:
        reason = error.detail if isinstance(error, ApplicationError) else f"{type(error).__name__}: {error}"
        fail_run(run=run, error=reason)
        logger.warning("run_failed run=%s recipe=%s", run.pk, run.recipe.name)
        raise
    logger.info("run_succeeded run=%s version=%s seconds=%.1f", run.pk, version.name, version.fit_seconds)
    remove_old_artifacts(recipe=run.recipe)
    return version


def _take_up_new(recipe: str, trigger: str) -> int:
    run = request_run(recipe=recipe, trigger=trigger)
    if not take_up_run(run_id=run.pk):
        raise Conflict(f"Run {run.pk} was taken up by another process; follow it there.")
    return run.pk


@dataclass
class _Work:
    """A run, how long each of its steps took, in seconds, and what it had to do without."""

    run: TrainingRun
    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    read_at: datetime = field(default_factory=timezone.now)
    _since: float = 0.0
    _step: str = ""

    def begin(self, step: str) -> None:
        self.finish()
        enter_phase(run=self.run, phase=step)
        self.progress(step)
        self._step, self._since = step, time.perf_counter()

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)
        logger.warning("run_warning run=%s warning=%s", self.run.pk, sentence)

    def finish(self) -> None:
        if self._step:
            self.seconds[self._step] = round(time.perf_counter() - self._since, 3)
            self._step = ""


def _fit(work: _Work) -> ModelVersion:
    rng = np.random.default_rng(SEED)
    work.begin("read ratings")
    interactions = build_interactions(work.warn)
    if interactions.ratings.nnz == 0:
        raise Conflict("There are no ratings to learn from: load some with manage.py load_movielens demo.")
    arms, predictor = _learn(work, interactions, rng)
    work.begin("save")
    artifact = _save(work, arms, predictor, interactions, rng)
    try:
        work.begin("check")
        engine = unpack_engine(artifact, version=artifact.path.name, recipe=work.run.recipe.name)
        coverage = check_engine(engine, artifact, interactions, rng)
        work.finish()
        return _publish(work, artifact, interactions, coverage=coverage)
    except BaseException:
        discard_artifact(artifact.path)
        raise


def _learn(
    work: _Work, interactions: Interactions, rng: np.random.Generator
) -> tuple[dict[str, Recommender], RatingPredictor]:
    try:
        parameters, predicting = split_parameters(work.run.recipe.parameters)
        predictor = RatingPredictor(**predicting)
        with threadpool_limits(os.cpu_count()):
            arms = fit_arms(ARMS, interactions, rng, parameters=parameters, before_each=work.begin)
            work.begin("predicted ratings")
            predictor.fit(interactions)
    except InvalidParameter as error:
        raise InvalidInput(f"Recipe {work.run.recipe.name!r} cannot be fitted: {error}") from error
    return arms, predictor


def _save(
    work: _Work,
    arms: dict[str, Recommender],
    predictor: RatingPredictor,
    interactions: Interactions,
    rng: np.random.Generator,
) -> Artifact:
    groups, about = pack_engine(arms, predictor, interactions, rng)
    extras = {"recipe": work.run.recipe.name, "seed": SEED, "n_users": interactions.n_users}
    return save_artifact(artifact_path(artifact_name(work.run)), groups, {**about, **extras})


@transaction.atomic
def _publish(work: _Work, artifact: Artifact, interactions: Interactions, *, coverage: float) -> ModelVersion:
    """The version's row, live, and the end of its run: all or nothing."""
    succeed_run(run=work.run)
    version = ModelVersion.objects.create(
        recipe=work.run.recipe,
        run=work.run,
        name=artifact.path.name,
        artifact=artifact.path.name,
        manifest_sha256=artifact.manifest_sha256,
        metrics={
            "seconds": work.seconds,
            "artifact_bytes": artifact.n_bytes,
            "coverage": round(coverage, 4),
            "warnings": work.warnings,
        },
        parameters=artifact.about["arms"],
        read_at=work.read_at,
        n_users=interactions.n_users,
        n_movies=interactions.n_items,
        n_ratings=interactions.ratings.nnz,
        fit_seconds=round(sum(work.seconds.values()), 3),
    )
    return activate(version=version)
