"""``manage.py bandit_check``"""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.bandits.management.versions import add_version_argument, versions_meant
from apps.bandits.services import check
from apps.core.management.base import MarqueeCommand, Refused


class Command(MarqueeCommand):
    help = "Compares the bandit's counts with the log. Exits with 1, and the cells, when some differ."
    example = "manage.py bandit_check --json"

    def add_command_arguments(self, parser: CommandParser) -> None:
        add_version_argument(parser)

    def execute_command(self, *args: Any, policy_version: int | None, **options: Any) -> Mapping[str, object]:
        checks = [check(version) for version in versions_meant(policy_version)]
        return {
            "equal": not any(one.differing for one in checks),
            "versions": [one.as_json() for one in checks],
        }

    def finish_command(self, result: Mapping[str, object], *args: Any, **options: Any) -> None:
        if not result["equal"]:
            raise Refused("Counts differ from the log; manage.py bandit_rebuild makes them anew from it")
