"""A changed recipe on its way to everybody: asked for, in steps, promoted, and back.

A rollout is an experiment of recipes. Half of those whom a step covers get the candidate, so that all that is
told of it comes from one comparison; then all but a small holdout do, the same people first; then everybody.
Until then the policy names the recipe before, so that ending the experiment is all that a rollback takes.
"""

from django.db import transaction

from apps.core import clock
from apps.core.errors import ApplicationError, Conflict
from apps.core.services import Actor, record_audit, require_reason
from apps.experiments import services as experiments
from apps.experiments.policy import read_policy
from apps.training.models import Recipe, Rollout
from apps.training.services.gating import require_gate
from apps.training.services.recipes import ensure_standard_recipe, find_recipe
from apps.training.services.staging import CANDIDATE, HOLDOUT, design_of_rollout, staging_of

Status = Rollout.Status


@transaction.atomic
def ask_for_rollout(*, recipe: str, by: Actor | None, reason: str) -> Rollout:
    """Begins a rollout of the recipe, at once where nothing is in its way; else it waits.

    A candidate that waited is replaced. Raises ``InvalidInput`` without a reason, ``NotFound``, and
    ``Conflict`` for a recipe that serves, that is being rolled out, or that has not passed the gate.
    """
    require_reason(reason)
    lock_rollouts()
    found, serving = find_recipe(recipe), read_policy().recipe
    if found.name == serving:
        raise Conflict(f"Recipe {found.name!r} serves everybody already.")
    now_under_way = under_way()
    if now_under_way is not None and now_under_way.recipe_id == found.pk:
        raise Conflict(f"Recipe {found.name!r} is being rolled out already.")
    require_gate(found, against=serving)
    _replace_waiting(found)
    rollout = Rollout.objects.create(
        recipe=found,
        against=serving,
        reason=reason,
        asked_by=by.get_username() if by else "",
        asked_at=clock.now(),
    )
    record_audit("training.ask_for_rollout", by=by, target=rollout, reason=reason)
    begin(rollout, by=by)
    return rollout


@transaction.atomic
def promote(*, by: Actor | None, reason: str, rollout_id: int | None = None) -> Rollout:
    """The candidate serves all but a holdout now, whatever its steps still wait for.

    ``rollout_id`` is the one that is meant, None whichever is under way. Raises ``InvalidInput`` without a
    reason, ``Conflict`` where no rollout is in steps, or another one than is meant.
    """
    lock_rollouts()
    rollout = require_in_steps(rollout_id)
    promote_one(rollout, by=by, reason=reason)
    return rollout


@transaction.atomic
def serve_everybody(*, by: Actor | None, reason: str, rollout_id: int | None = None) -> Rollout:
    """Ends the holdout: the recipe becomes the policy's. Raises as ``promote``, and ``Conflict`` unless it is
    promoted.
    """
    lock_rollouts()
    rollout = require_promoted(rollout_id)
    finish(rollout, by=by, reason=reason)
    return rollout


@transaction.atomic
def roll_back(*, by: Actor | None, reason: str, rollout_id: int | None = None) -> Rollout:
    """Everybody gets the recipe before within two seconds, and no bandit draws until staff let it again.

    Of the rollout that is under way; where none is, of the last that came to serve everybody. ``rollout_id``
    and what it raises are as of ``promote``; ``Conflict`` also where there is nothing to go back to.
    """
    require_reason(reason)
    lock_rollouts()
    rollout = require_way_back(rollout_id)
    if rollout.status == Status.FINISHED:
        _restore(rollout, by=by, reason=reason)
    else:
        experiments.roll_back(key=rollout.experiment_id or "", by=by, reason=reason)
    end(rollout, Status.ROLLED_BACK, reason)
    record_audit("training.roll_back", by=by, target=rollout, reason=reason)
    return rollout


@transaction.atomic
def withdraw(*, rollout_id: int, by: Actor | None, reason: str) -> Rollout:
    """A candidate that waits does not any more. Raises ``Conflict`` for one that does not wait."""
    require_reason(reason)
    lock_rollouts()
    rollout = require_waiting(rollout_id)
    end(rollout, Status.WITHDRAWN, reason)
    record_audit("training.withdraw_rollout", by=by, target=rollout, reason=reason)
    return rollout


# --- What each act needs, of ``rollout_id`` or of whichever fits; raises ``Conflict`` ----------------


def require_in_steps(rollout_id: int | None) -> Rollout:
    rollout = _require_under_way(rollout_id)
    if rollout.status != Status.RUNNING:
        raise Conflict(f"Recipe {rollout.recipe.name!r} is promoted already.")
    return rollout


def require_promoted(rollout_id: int | None) -> Rollout:
    rollout = _require_under_way(rollout_id)
    if rollout.status != Status.PROMOTED:
        raise Conflict(f"Recipe {rollout.recipe.name!r} is in steps: promote it first.")
    return rollout


def require_way_back(rollout_id: int | None) -> Rollout:
    rollout = rolled_back_next()
    if rollout is None:
        raise Conflict(
            "No rollout is under way, and what serves came by none: there is nothing to go back to."
        )
    _require_meant(rollout, rollout_id)
    return rollout


def require_waiting(rollout_id: int) -> Rollout:
    rollout = Rollout.objects.select_related("recipe").filter(pk=rollout_id, status=Status.WAITING).first()
    if rollout is None:
        raise Conflict(f"Rollout {rollout_id} does not wait: roll it back if it is under way.")
    return rollout


# --- Which there are ------------------------------------------------------------------------------


def under_way() -> Rollout | None:
    """The rollout that serves anybody; None where there is none."""
    rows = Rollout.objects.select_related("recipe", "experiment")
    return rows.filter(status__in=Rollout.UNDER_WAY).order_by("-id").first()


def rolled_back_next() -> Rollout | None:
    """The rollout that ``roll_back`` is of; None where there is nothing to go back to."""
    return under_way() or last_finished()


def waiting() -> Rollout | None:
    return Rollout.objects.select_related("recipe").filter(status=Status.WAITING).first()


def last_finished() -> Rollout | None:
    """The rollout by which the policy's recipe came to serve; None where it came by none."""
    rows = Rollout.objects.select_related("recipe", "experiment").filter(status=Status.FINISHED)
    return rows.filter(recipe__name=read_policy().recipe).order_by("-ended_at").first()


# --- One step, under the lock ---------------------------------------------------------------------


def lock_rollouts() -> None:
    """To the end of the transaction: of two who act at once one comes after the other.

    No experiment's lock is held by anybody who waits for this one.
    """
    Recipe.objects.select_for_update(no_key=True).get(pk=ensure_standard_recipe().pk)


def begin(rollout: Rollout, *, by: Actor | None = None) -> None:
    """Starts its experiment, or says in ``waits_for`` what is in the way."""
    rollout.against = read_policy().recipe
    rollout.waits_for = _start(rollout, by)
    rollout.save()


def promote_one(rollout: Rollout, *, by: Actor | None, reason: str) -> None:
    experiments.promote(
        key=rollout.experiment_id or "", variant=CANDIDATE, holdout=HOLDOUT, by=by, reason=reason
    )
    rollout.status, rollout.promoted_at = Status.PROMOTED, clock.now()
    rollout.save(update_fields=["status", "promoted_at"])
    record_audit("training.promote", by=by, target=rollout, reason=reason)


def finish(rollout: Rollout, *, by: Actor | None, reason: str) -> None:
    # Somebody may have changed it meanwhile: what serves until now is what one goes back to.
    rollout.against = read_policy().recipe
    rollout.save(update_fields=["against"])
    experiments.ship(key=rollout.experiment_id or "", variant=CANDIDATE, by=by, reason=reason)
    end(rollout, Status.FINISHED, reason)
    record_audit("training.serve_everybody", by=by, target=rollout, reason=reason)


def end(rollout: Rollout, status: Rollout.Status, because: str) -> None:
    rollout.status, rollout.ended_at, rollout.ended_because = status, clock.now(), because
    rollout.waits_for = ""
    rollout.save(update_fields=["status", "ended_at", "ended_because", "waits_for"])


def _start(rollout: Rollout, by: Actor | None) -> str:
    """Empty once it runs."""
    other = under_way()
    if other is not None:
        return f"{other.recipe.name} is being rolled out: it has its turn when that has ended."
    try:
        require_gate(rollout.recipe, against=rollout.against)
        with transaction.atomic():
            staging = staging_of(rollout)
            made = experiments.create_experiment(design=design_of_rollout(rollout, staging), by=by)
            experiments.start(key=made.key, by=by, reason=rollout.reason)
    except ApplicationError as refusal:
        return refusal.detail
    rollout.experiment, rollout.status, rollout.started_at = made, Status.RUNNING, clock.now()
    rollout.is_timed, rollout.told = staging.is_timed, staging.told
    return ""


def _replace_waiting(candidate: Recipe) -> None:
    for rollout in Rollout.objects.filter(status=Status.WAITING):
        end(rollout, Status.REPLACED, f"{candidate.name} was asked for.")


def _require_under_way(rollout_id: int | None) -> Rollout:
    rollout = under_way()
    if rollout is None:
        raise Conflict("No rollout is under way: ask for one of a recipe first.")
    _require_meant(rollout, rollout_id)
    return rollout


def _require_meant(rollout: Rollout, rollout_id: int | None) -> None:
    """Somebody may act on a page that was opened while another one was there."""
    if rollout_id not in (None, rollout.pk):
        status = rollout.get_status_display().lower()
        raise Conflict(f"This is not what serves any more: {rollout} is ({status}). Look at that one.")


def _restore(rollout: Rollout, *, by: Actor | None, reason: str) -> None:
    """The policy's recipe is the one before again; what was learned of the arms meanwhile is not of it."""
    policy = read_policy()
    experiments.change_policy(
        strategy=policy.strategy.to_json(),
        recipe=rollout.against,
        reason=reason,
        by=by,
        expected_version=policy.version,
    )
    experiments.suspend_bandit(reason=f"{rollout} was rolled back: {reason}", by=by)
