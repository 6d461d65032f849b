"""Rolls a recipe out, or leads a rollout on by hand."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.core.errors import Conflict
from apps.core.management.base import MarqueeCommand
from apps.training.services.rollouts import ask_for_rollout, promote, serve_everybody, under_way


class Command(MarqueeCommand):
    help = (
        "Roll a recipe out: to a tenth, to half, then to all but a holdout, each step held for its time. "
        "With --now or --everybody, lead its rollout on without waiting."
    )

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("recipe", help="the recipe that is to serve")
        parser.add_argument("--reason", required=True, help="goes into the audit")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--now", action="store_true", help="skip the steps: all but a holdout get it")
        how.add_argument("--everybody", action="store_true", help="end the holdout of a promoted recipe")

    def execute_command(
        self, *args: Any, recipe: str, reason: str, now: bool, everybody: bool, **options: Any
    ) -> Mapping[str, object]:
        rollout = under_way() if now or everybody else None
        if rollout is not None and rollout.recipe.name != recipe:
            raise Conflict(f"{rollout.recipe.name} is being rolled out, not {recipe}.")
        if everybody:
            rollout = serve_everybody(by=None, reason=reason)
        else:
            rollout = rollout or ask_for_rollout(recipe=recipe, by=None, reason=reason)
            if now:
                rollout = promote(by=None, reason=reason)
        return {
            "rollout": rollout.pk,
            "recipe": recipe,
            "against": rollout.against,
            "status": rollout.status,
            "experiment": rollout.experiment_id,
            "timed": rollout.is_timed,
            "told": rollout.told,
            "waits_for": rollout.waits_for,
        }
