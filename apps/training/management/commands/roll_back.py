"""Goes back to the recipe that served before."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.core.management.base import MarqueeCommand
from apps.training.services.rollouts import roll_back


class Command(MarqueeCommand):
    help = (
        "Roll back the recipe that is being rolled out, or the last one that came to serve everybody. In "
        "effect within two seconds in every process; bandits serve by fixed weights until staff allow more."
    )

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", required=True, help="goes into the audit")

    def execute_command(self, *args: Any, reason: str, **options: Any) -> Mapping[str, object]:
        rolled = roll_back(by=None, reason=reason)
        return {"rollout": rolled.pk, "recipe": rolled.recipe.name, "serves": rolled.against}
