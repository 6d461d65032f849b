"""Recipes that staff hold at a version: they learn again when somebody asks for it, and not by themselves."""

from django.db import transaction

from apps.core.errors import Conflict
from apps.core.services import Actor, record_audit, require_reason
from apps.training.models import Recipe, TrainingRun

BY_HAND = frozenset({"admin", "manual", "command"})
"""Triggers of runs that somebody asked for; all others come by themselves."""


def held_recipes() -> frozenset[str]:
    """Their names, as of now. One query."""
    return frozenset(Recipe.objects.exclude(held_because="").values_list("name", flat=True))


def hold(recipe: Recipe, *, by: Actor | None, reason: str) -> None:
    """Within the transaction that makes its version live."""
    before = {"held_because": recipe.held_because}
    _write(recipe, reason, by.get_username() if by else "")
    record_audit(
        "training.hold_recipe",
        by=by,
        target=recipe,
        before=before,
        after={"held_because": reason},
        reason=reason,
    )


@transaction.atomic
def let_go(*, recipe: Recipe, by: Actor | None, reason: str) -> Recipe:
    """The recipe learns by itself again.

    Raises ``InvalidInput`` without a reason, ``Conflict`` for one that is not held.
    """
    require_reason(reason)
    found = Recipe.objects.select_for_update().get(pk=recipe.pk)
    if not found.held_because:
        raise Conflict(f"Recipe {found.name!r} is not held: it learns by itself.")
    before = {"held_because": found.held_because}
    _write(found, "", "")
    after = {"held_because": ""}
    record_audit("training.let_go_recipe", by=by, target=found, before=before, after=after, reason=reason)
    return found


def require_free(run: TrainingRun) -> None:
    """Raises ``Conflict`` where the recipe of a run that came by itself is held.

    Within a transaction whoever holds the recipe meanwhile comes after it.
    """
    found = Recipe.objects.select_for_update().get(pk=run.recipe_id)
    if found.held_because and run.trigger not in BY_HAND:
        raise Conflict(
            f"Recipe {found.name!r} is held at its version ({found.held_because}): it learns again once"
            " somebody lets it, or asks for a fit."
        )


def end_hold(run: TrainingRun) -> None:
    """What somebody asked for has come to serve: the recipe goes on from there."""
    found = Recipe.objects.select_for_update().get(pk=run.recipe_id)
    if found.held_because:
        let_go(recipe=found, by=None, reason=f"Run {run.pk}, which somebody asked for, went live.")


def _write(recipe: Recipe, because: str, by: str) -> None:
    recipe.held_because, recipe.held_by = because, by
    recipe.save(update_fields=["held_because", "held_by"])
