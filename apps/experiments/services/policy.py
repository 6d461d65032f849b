"""Changing what serves outside of experiments."""

from django.db import transaction

from apps.algorithms.registry import ARMS
from apps.algorithms.strategy import InvalidStrategy, Strategy, parse_strategy
from apps.core.errors import ApplicationError, Conflict, FieldError, InvalidInput
from apps.core.services import Actor, record_audit, require_reason
from apps.experiments.models import ServingPolicy
from apps.experiments.policy import DEFAULT_RECIPE, DEFAULT_STRATEGY, forget_policy, read_policy
from apps.experiments.requirements import require_proved, require_servable
from apps.experiments.services.phases import open_plans


@transaction.atomic
def change_policy(
    *,
    strategy: object,
    recipe: str,
    reason: str,
    by: Actor | None,
    expected_version: int | None = None,
    ending: str = "",
) -> ServingPolicy:
    """Sets what serves everybody, in effect within two seconds in every process.

    ``by`` None is a rule or the command line. ``ending`` is the key of an experiment that ends with the
    change. Raises ``InvalidInput`` without a reason and for a strategy that breaks its schema or that the
    recipe cannot serve, ``Conflict`` when somebody changed the policy since ``expected_version``, and where
    an experiment that is open could not serve beside it, and for another recipe that has not proved itself,
    be it by the experiment that ends.
    """
    require_reason(reason)
    parsed = _parse(strategy)
    require_servable(parsed, recipe)
    _require_beside(parsed, recipe, ending=ending)
    if not ending:
        require_proved(recipe, serving=read_policy().recipe)
    row, _ = ServingPolicy.objects.select_for_update().get_or_create(
        pk=ServingPolicy.SINGLETON, defaults={"strategy": DEFAULT_STRATEGY, "recipe": DEFAULT_RECIPE}
    )
    _require_version(row, expected_version)
    before = {"version": row.version, "strategy": row.strategy, "recipe": row.recipe}
    row.strategy, row.recipe, row.reason = parsed.to_json(), recipe, reason
    row.version, row.changed_by = row.version + 1, by.get_username() if by else ""
    row.save(update_fields=["strategy", "recipe", "reason", "version", "changed_by", "changed_at"])
    after = {"version": row.version, "strategy": row.strategy, "recipe": recipe}
    record_audit("policy.change", by=by, target=row, before=before, after=after, reason=reason)
    transaction.on_commit(forget_policy)
    return row


@transaction.atomic
def suspend_bandit(*, reason: str, by: Actor | None) -> None:
    """A bandit's arms serve by fixed weights within two seconds, until ``resume_bandit``.

    What it learned stays, and the policy's version, under which it learned it.
    """
    _set_suspended(True, reason=reason, by=by)


@transaction.atomic
def resume_bandit(*, reason: str, by: Actor | None) -> None:
    """It draws again by what it has learned."""
    _set_suspended(False, reason=reason, by=by)


def _set_suspended(suspended: bool, *, reason: str, by: Actor | None) -> None:
    require_reason(reason)
    row = ServingPolicy.objects.select_for_update().filter(pk=ServingPolicy.SINGLETON).first()
    if row is None or row.bandit_suspended == suspended:
        return
    row.bandit_suspended = suspended
    row.save(update_fields=["bandit_suspended", "changed_at"])
    verb = "suspend" if suspended else "resume"
    record_audit(f"policy.{verb}_bandit", by=by, target=row, reason=reason)
    transaction.on_commit(forget_policy)


def bandit_serves() -> bool:
    """Whether the policy draws by a bandit, or a variant of an experiment that is open. Two queries."""
    tried = [variant.strategy for _, plan in open_plans() for variant in plan.variants]
    return any(one is not None and one.policy == "bandit" for one in (read_policy().strategy, *tried))


def check_policy(*, strategy: object, recipe: str, expected_version: int | None) -> None:
    """Raises what ``change_policy`` would, so that a form can say it."""
    parsed = _parse(strategy)
    require_servable(parsed, recipe)
    _require_beside(parsed, recipe)
    require_proved(recipe, serving=read_policy().recipe)
    _require_version(ServingPolicy.objects.filter(pk=ServingPolicy.SINGLETON).first(), expected_version)


def _require_version(row: ServingPolicy | None, expected: int | None) -> None:
    version = row.version if row else 1
    if expected not in (None, version):
        raise Conflict(
            f"The policy was changed meanwhile: it is at version {version}, not {expected}. "
            "Look at it again before you change it."
        )


def _require_beside(strategy: Strategy, recipe: str, *, ending: str = "") -> None:
    """A variant gets from the policy what it leaves open."""
    for phase, plan in open_plans():
        if phase.experiment_id == ending:
            continue
        for variant in plan.variants:
            try:
                require_servable(variant.strategy or strategy, variant.recipe or plan.pinned_recipe or recipe)
            except ApplicationError as refusal:
                raise Conflict(
                    f"{phase.experiment}, variant {variant.name}, could not serve beside it: {refusal.detail}"
                    " Or end that experiment first."
                ) from None


def _parse(strategy: object) -> Strategy:
    try:
        return parse_strategy(strategy, ARMS)
    except InvalidStrategy as error:
        problems = [FieldError(f"/strategy{pointer}", detail) for pointer, detail in error.errors]
        raise InvalidInput(str(error), errors=problems) from error
