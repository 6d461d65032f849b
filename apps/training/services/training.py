"""One fit of one recipe: read, learn, write, check, activate."""

import logging
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction

from apps.algorithms.registry import loose_among
from apps.core.errors import ApplicationError, Conflict, Unavailable
from apps.experiments.policy import recipes_in_use
from apps.training.artifacts import Artifact, discard_artifact, save_artifact
from apps.training.backlog import COMPACTION
from apps.training.baseline import baseline_of
from apps.training.corpus import Corpus, corpus_folder, discard_corpus, save_corpus
from apps.training.engines import pack_engine, unpack_engine
from apps.training.gate import Check, failed_among
from apps.training.models import ModelVersion, Recipe, UpdateType
from apps.training.services.backtesting import Tested, back_test, recipe_to_beat, save_test, why_refused
from apps.training.services.cleaning import discard_corpora, remove_old_artifacts
from apps.training.services.fitting import (
    BACK_TEST,
    CHECK,
    SAVE,
    STEPS,
    Fitted,
    Live,
    compact_live,
    find_start,
    fit_from_nothing,
    load_live,
    read_everything,
    read_news,
    svd_metrics,
    update_live,
)
from apps.training.services.holding import BY_HAND, end_hold, require_free
from apps.training.services.locking import held_lock
from apps.training.services.runs import (
    artifact_name,
    artifact_path,
    begin_run,
    fail_run,
    refuse_run,
    request_run,
    signs_of_life,
    succeed_run,
    take_up_run,
)
from apps.training.services.sanity import compare_lists, lists_of, panel_of, require_sound
from apps.training.services.update_logs import note_failure, note_version
from apps.training.services.versions import activate
from apps.training.services.work import Progress, Work

__all__ = ["SEED", "STEPS", "VersionRefused", "train"]

logger = logging.getLogger(__name__)

SEED = 20_011_103
"""Two fits of the same rows give the same arrays."""


class VersionRefused(Conflict):
    """``version`` was made and failed its checks; staff may let it serve all the same."""

    def __init__(self, version: ModelVersion) -> None:
        super().__init__(version.refused_because)
        self.version = version


def train(
    *,
    recipe: str = "standard",
    trigger: str = "manual",
    update_type: UpdateType = UpdateType.FULL,
    progress: Progress | None = None,
    run_id: int | None = None,
) -> ModelVersion:
    """The version of ``recipe`` that serves in the end. ``run_id`` names a run that was taken up
    (``take_up_run``), to be fitted instead of a new one.

    A warm start updates the live version by what was said since; where there is none, or not what it was
    fitted on, it is a full retrain, and where nothing was said, the live version stays. A full retrain of a
    recipe that serves nobody is back-tested beside the one that serves, unless it was (``recipe_to_beat``).
    What comes by itself leaves a recipe that is held as it is (``services.holding``).
    Takes every core and several times the memory of the ratings: call it in a process of its own
    (``start_run``). Raises ``Conflict`` while another run is alive and when there is nothing to learn from,
    ``VersionRefused`` when the result fails its checks, ``Unavailable`` when the disk is full. Whatever goes
    wrong, the run says so and the version before stays live; no file is left, but of a version that was
    refused.
    """
    number = run_id or _take_up_new(recipe, trigger, update_type)
    run = begin_run(run_id=number)
    work = Work(run, progress or (lambda step: None), n_steps=len(STEPS))
    work.say(f"{run.get_update_type_display()} of recipe {run.recipe.name!r}, asked for by {run.trigger}.")
    try:
        with held_lock(), signs_of_life(run):
            version = _make(work)
    except BaseException as error:
        _give_up(work, error)
        raise
    logger.info("run_succeeded run=%s version=%s seconds=%.1f", run.pk, version.name, version.fit_seconds)
    remove_old_artifacts(recipe=run.recipe)
    return version


def _take_up_new(recipe: str, trigger: str, update_type: UpdateType) -> int:
    run = request_run(recipe=recipe, trigger=trigger, update_type=update_type)
    if not take_up_run(run_id=run.pk):
        raise Conflict(f"Run {run.pk} was taken up by another process; follow it there.")
    return run.pk


def _give_up(work: Work, error: BaseException) -> None:
    run = work.run
    reason = error.detail if isinstance(error, ApplicationError) else f"{type(error).__name__}: {error}"
    work.say(reason)
    if fail_run(run=run, error=reason, **work.told):
        note_failure(run=run, seconds=work.elapsed, error=reason)
    logger.warning("run_failed run=%s recipe=%s", run.pk, run.recipe.name)


def _make(work: Work) -> ModelVersion:
    rng = np.random.default_rng(SEED)
    with transaction.atomic():
        require_free(work.run)
    live = load_live(work.run.recipe, work)
    if work.run.update_type == UpdateType.WARM_START:
        before = find_start(live, work)
        if live is not None and before is not None:
            if work.run.trigger == COMPACTION:
                if loose_among(live.engine.arms):
                    return _finish(work, compact_live(live, before, work), live, rng)
                return _keep(work, live, before.read_at)
            caught = read_news(before, work)
            if not caught.is_news:
                return _keep(work, live, caught.corpus.read_at)
            return _finish(work, update_live(live, before, caught, work, rng), live, rng)
    against = recipe_to_beat(work.run.recipe)
    work.n_steps += against is not None
    corpus = read_everything(work)
    trial = _back_test(work, against, corpus) if against else None
    return _finish(work, fit_from_nothing(corpus, work, rng), live, rng, trial)


@dataclass(frozen=True)
class _Trial:
    """How the recipe did in its back-test beside ``against``."""

    against: Recipe
    tested: Tested

    def why_refused(self, recipe: Recipe) -> str:
        return why_refused(self.tested, recipe=recipe.name, against=self.against.name)


def _back_test(work: Work, against: Recipe, corpus: Corpus) -> _Trial:
    # Before the fit: the arms of both would stand in memory beside its own.
    work.begin(BACK_TEST)
    tested = back_test(work.run.recipe, against, corpus, seed=SEED)
    work.say(f"Back-tested beside recipe {against.name!r} on {tested.n_people:,} people.")
    return _Trial(against, tested)


@transaction.atomic
def _keep(work: Work, live: Live, read_at: Any) -> ModelVersion:
    """The live version, which knows all that there is to know."""
    work.finish()
    _settle_hold(work)
    work.say(f"Version {live.version.name} knows all that there is to know, and serves on.")
    succeed_run(run=work.run, **work.told)
    ModelVersion.objects.filter(pk=live.version.pk).update(read_at=read_at)
    note_version(
        run=work.run,
        version=live.version,
        update_type=UpdateType.WARM_START,
        n_learned=0,
        seconds=work.elapsed,
    )
    return live.version


def _settle_hold(work: Work) -> None:
    """Of a recipe that staff held, be it while this was learned. Raises ``Conflict`` as ``require_free``."""
    require_free(work.run)
    if work.run.trigger in BY_HAND:
        end_hold(work.run)


@dataclass(frozen=True, eq=False)
class _Checked:
    """A version's files, and how it compares with what serves."""

    artifact: Artifact
    metrics: dict[str, Any]
    checks: list[Check] = field(default_factory=list)

    @property
    def refusal(self) -> str:
        """Empty when all checks are passed."""
        failed = failed_among(self.checks)
        return f"The version before serves on: {failed}." if failed else ""


def _finish(
    work: Work, fitted: Fitted, live: Live | None, rng: np.random.Generator, trial: _Trial | None = None
) -> ModelVersion:
    """Files, checks and rows of what was fitted. Raises ``VersionRefused`` for what fails its checks."""
    name = artifact_name(work.run)
    try:
        work.begin(SAVE)
        artifact = _save(work, fitted, rng)
        work.begin(CHECK)
        checked = _check(work, fitted, artifact, live)
        work.finish()
        version = _publish(work, fitted, checked, trial)
    except BaseException:
        discard_artifact(artifact_path(name))
        discard_corpus(name)
        raise
    serving = ModelVersion.objects.filter(status=ModelVersion.Status.LIVE)
    discard_corpora(but=set(serving.values_list("name", flat=True)))
    if version.refused_because:
        raise VersionRefused(version)
    return version


def _save(work: Work, fitted: Fitted, rng: np.random.Generator) -> Artifact:
    """The model files, and beside them what they were learned from. ``Unavailable`` for a full disk."""
    try:
        artifact = _save_model(work, fitted, rng)
        save_corpus(artifact.path.name, fitted.corpus, before=fitted.before)
    except OSError as error:
        # numpy says of a full disk only how many numbers it took.
        raise Unavailable(
            f"The disk did not take the version's files ({error.strerror or error}): make room in"
            f" {settings.ARTIFACT_DIR} and {corpus_folder()} and fit again. The version before serves on."
        ) from error
    return artifact


def _save_model(work: Work, fitted: Fitted, rng: np.random.Generator) -> Artifact:
    interactions = fitted.corpus.interactions
    groups, about = pack_engine(fitted.arms, fitted.predictor, interactions, rng, exposure=fitted.exposure)
    extras = {"recipe": work.run.recipe.name, "seed": SEED, "n_users": interactions.n_users}
    path = artifact_path(artifact_name(work.run))
    return save_artifact(path, groups, {**about, **extras}, before=fitted.shared)


def _check(work: Work, fitted: Fitted, artifact: Artifact, live: Live | None) -> _Checked:
    """Raises ``Conflict`` for what cannot serve at all."""
    written = artifact.bytes_beside(fitted.shared)
    work.say(f"Wrote {written / 1e6:,.1f} of the version's {artifact.n_bytes / 1e6:,.1f} MB.")
    engine = unpack_engine(artifact, version=artifact.path.name, recipe=work.run.recipe.name)
    # As people are known now: beside what they said before, a version that learned much is always worse.
    panel = panel_of(fitted.corpus)
    require_sound(engine, artifact, panel, but=fitted.shared)
    lists = lists_of(engine, panel)
    ndcg = lists.ndcg(panel)
    metrics = {
        "artifact_bytes": artifact.n_bytes,
        "written_bytes": written,
        "coverage": round(lists.coverage, 4),
        "ndcg": None if ndcg is None else round(ndcg, 4),
        "rows_read": fitted.n_read,
        "loose": loose_among(fitted.arms),
        "updated_from": live.version.name if live and fitted.before else "",
        **svd_metrics(fitted),
    }
    # Of another recipe's making it is no refit: what it must reach is another gate's to say.
    if live is None or live.version.parameters != artifact.about["arms"]:
        return _Checked(artifact, metrics)
    before = lists_of(live.engine, panel)
    metrics["overlap"] = round(lists.overlap(before), 4)
    return _Checked(artifact, metrics, compare_lists(lists, before, panel, fitted.update_type))


def _told(work: Work) -> dict[str, Any]:
    return {"seconds": work.seconds, "warnings": work.warnings}


def _judge(work: Work, checked: _Checked, trial: _Trial | None) -> tuple[list[Check], str]:
    """All checks, and why they refuse it; empty when they do not. Writes the row of a back-test."""
    checks, reasons = [*checked.checks], [checked.refusal]
    if trial is not None:
        save_test(trial.tested, run=work.run, against=trial.against)
        checks += trial.tested.checks
        reasons.append(trial.why_refused(work.run.recipe))
    for check in checks:
        work.say(f"{check.name}: {check.told_figure}, limit {check.told_limit}: {check.verdict}.")
    return checks, " ".join(reason for reason in reasons if reason)


def _told_live(version: str, recipe: str) -> str:
    rest = "." if recipe in recipes_in_use() else ", which serves nobody yet."
    return f"Version {version} passed, and is the live version of recipe {recipe!r}{rest}"


@transaction.atomic
def _publish(work: Work, fitted: Fitted, checked: _Checked, trial: _Trial | None) -> ModelVersion:
    """The version's row, live or refused, that of its back-test, its line in the log and the end of its run:
    all or nothing."""
    checks, refusal = _judge(work, checked, trial)
    work.say_memory()
    work.say(refusal or _told_live(checked.artifact.path.name, work.run.recipe.name))
    if refusal:
        refuse_run(run=work.run, error=refusal, **work.told)
    else:
        succeed_run(run=work.run, **work.told)
    interactions = fitted.corpus.interactions
    version = ModelVersion.objects.create(
        recipe=work.run.recipe,
        run=work.run,
        name=checked.artifact.path.name,
        status=ModelVersion.Status.REFUSED if refusal else ModelVersion.Status.CANDIDATE,
        refused_because=refusal,
        update_type=fitted.update_type,
        artifact=checked.artifact.path.name,
        manifest_sha256=checked.artifact.manifest_sha256,
        metrics={**_told(work), "baseline": baseline_of(interactions), **checked.metrics},
        checks=[check.as_json() for check in checks],
        parameters=checked.artifact.about["arms"],
        read_at=fitted.corpus.read_at,
        n_users=interactions.n_users,
        n_movies=interactions.n_items,
        n_ratings=fitted.corpus.n_ratings,
        fit_seconds=round(sum(work.seconds.values()), 3),
    )
    if not refusal:
        _settle_hold(work)
        activate(version=version)
    note_version(
        run=work.run,
        version=version,
        update_type=fitted.update_type,
        n_learned=fitted.n_learned,
        seconds=work.elapsed,
    )
    return version
