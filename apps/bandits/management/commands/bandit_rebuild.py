"""``manage.py bandit_rebuild``"""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.bandits.management.versions import add_version_argument, versions_meant
from apps.bandits.services import rebuild
from apps.core.management.base import MarqueeCommand


class Command(MarqueeCommand):
    help = (
        "Makes the bandit's counts anew from their base and the log. Lists and feedback that a bandit counts "
        "wait meanwhile."
    )
    example = "manage.py bandit_rebuild --policy-version 3"

    def add_command_arguments(self, parser: CommandParser) -> None:
        add_version_argument(parser)

    def execute_command(self, *args: Any, policy_version: int | None, **options: Any) -> Mapping[str, object]:
        before = [rebuild(version) for version in versions_meant(policy_version)]
        return {
            "versions": [
                {"version": one.version, "n_cells": one.n_cells, "n_corrected": len(one.differing)}
                for one in before
            ]
        }
