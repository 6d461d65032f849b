"""A recipe proposed in the place of the one that serves, when tuning found a better one."""

import logging
from collections.abc import Mapping

from django.conf import settings

from apps.algorithms.evaluation import Difference
from apps.algorithms.statistics import adjust
from apps.algorithms.strategy import DEFAULT_ARM
from apps.algorithms.types import Parameters
from apps.core.errors import InvalidInput
from apps.core.json import decode
from apps.ratings.models import Rating
from apps.training.models import Recipe, TrainingRun
from apps.training.parameters import PREDICTOR
from apps.training.scratch import run_command
from apps.training.services.recipes import save_candidate
from apps.training.services.runs import abandon_stale_runs
from apps.training.services.tuning import TunedArm, Tuning
from recommender_site import env

logger = logging.getLogger(__name__)

ALPHA = 0.05
NOTHING_FOUND = "The search found no better parameters on the validation slice."


def why_not_better(tuning: Tuning) -> str:
    """Why what was found is no candidate; empty when it is one.

    It is one when, on the test part, at least one arm's nDCG is surely better: its 95 % interval lies
    above 0, and so it stays with p-values adjusted for as many arms as changed (Holm, 5 %). Beside that no
    arm may be surely worse, its interval below 0, nor ``hybrid``, which serves whoever gets nothing else,
    have lost anything at all.
    """
    changes = {one.searched.name: one.difference for one in tuning.arms if one.difference and _differs(one)}
    if not changes:
        return NOTHING_FOUND
    adjusted = adjust([change.p_value for change in changes.values()])
    surely = [change.low > 0 and p <= ALPHA for change, p in zip(changes.values(), adjusted, strict=True)]
    if not any(surely):
        name = max(changes, key=lambda one: changes[one].value)
        return (
            f"No arm is surely better on the ratings held back; the most has {name}: {said(changes[name])}."
        )
    lost = [name for name, one in changes.items() if one.high < 0 or (name == DEFAULT_ARM and one.value < 0)]
    return f"{lost[0]} is worse on the ratings held back: {said(changes[lost[0]])}." if lost else ""


def candidate_parameters(tuning: Tuning) -> Mapping[str, Parameters]:
    """What was found, the rating predictor's part only if its RMSE is surely lower on the test part."""
    found, predictor = dict(tuning.parameters), tuning.predictor
    if predictor and not (predictor.difference and predictor.difference.high < 0):
        found.pop(PREDICTOR, None)
        if PREDICTOR in tuning.plan.parameters:
            found[PREDICTOR] = tuning.plan.parameters[PREDICTOR]
    return found


def propose(tuning: Tuning, *, base: str) -> Recipe | None:
    """The saved candidate (``save_candidate``, and its refusals); None where nothing is better.

    ``base`` is the recipe that the plan's parameters are of.
    """
    if why_not_better(tuning):
        return None
    return save_candidate(
        base=base, parameters=candidate_parameters(tuning), description=describe(tuning, base)
    )


def describe(tuning: Tuning, base: str) -> str:
    """What the candidate rests on, a line for each arm that changed."""
    plan = tuning.plan
    lines = [
        f"Proposed by manage.py tune in the place of {base}, from {tuning.n_ratings:,} ratings. Protocol "
        f"{plan.protocol.name}, seed {plan.seed}; figures are of the part that the search never saw, with "
        "95 % intervals."
    ]
    for one in tuning.arms:
        if one.before.ndcg and one.after.ndcg and one.difference and _differs(one):
            values = f"{one.before.ndcg.value:.4f} before, {one.after.ndcg.value:.4f} after"
            lines.append(f"{one.searched.name}: nDCG@{plan.k} {values}: {said(one.difference)}")
    predictor = tuning.predictor
    if predictor and predictor.difference and PREDICTOR in candidate_parameters(tuning):
        before, after = predictor.before.rmse, predictor.after.rmse
        if before and after and predictor.searched.is_changed:
            values = f"{before.value:.4f} before, {after.value:.4f} after"
            lines.append(f"{PREDICTOR}: RMSE {values}: {said(predictor.difference)}")
    return "\n".join(lines)


def said(change: Difference) -> str:
    """A difference with its interval."""
    return f"{change.value:+.4f} ({change.low:+.4f} to {change.high:+.4f})"


def propose_candidate() -> str:
    """What came of a search over all that serves, in a process of its own: its memory goes back to the
    system, and it has every core.

    Nothing is searched while a fit is under way, one heavy job at a time, and with few ratings.
    """
    not_now = _why_not_now()
    if not_now:
        return not_now
    child = env.for_child(DJANGO_SETTINGS_MODULE=str(settings.SETTINGS_MODULE))
    words = ["tune", "--propose", "--minutes", str(settings.TUNE_MINUTES), "--json"]
    try:
        answer = decode(run_command(child, *words, seconds=settings.TRAINING_TIMEOUT_SECONDS).encode())
    except InvalidInput as refusal:
        logger.warning("tuning_failed reason=%s", refusal.detail)
        return refusal.detail
    logger.info("tuning_ended proposed=%s", answer["proposed"])
    return str(answer["proposed"] or answer["why_not"])


def _why_not_now() -> str:
    if not settings.AUTO_UPDATE:
        return "AUTO_UPDATE is off"
    abandon_stale_runs()
    run = TrainingRun.objects.filter(status=TrainingRun.Status.RUNNING).first()
    if run is not None:
        return f"Run {run.pk} is under way: one heavy job at a time."
    n_ratings = Rating.objects.standing().count()
    if n_ratings < settings.TUNE_MIN_RATINGS:
        return f"{n_ratings} ratings are fewer than TUNE_MIN_RATINGS, {settings.TUNE_MIN_RATINGS}."
    return ""


def _differs(one: TunedArm) -> bool:
    """An arm whose parameters, and those of its parts, stayed is measured once."""
    return one.after is not one.before
