"""``manage.py evaluate_policy``"""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.bandits.services import judge, latest_version, policy_names
from apps.core.management.arguments import positive
from apps.core.management.base import MarqueeCommand


class Command(MarqueeCommand):
    help = (
        "Says what other policies would have earned, from the log of the bandit: the mean success of a film "
        "shown, with 95 % intervals over viewers, or why there is no verdict."
    )
    example = "manage.py evaluate_policy uniform svd --days 30"

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "policies",
            nargs="*",
            metavar="POLICY",
            help="uniform, an arm, or version:N; without any all that there are",
        )
        parser.add_argument("--days", type=positive, default=30, help="of the log to read (default: 30)")
        parser.add_argument(
            "--policy-version", type=int, metavar="N", help="whose log is read (default: the newest)"
        )

    def execute_command(
        self, *args: Any, policies: list[str], days: int, policy_version: int | None, **options: Any
    ) -> Mapping[str, object]:
        version = latest_version() if policy_version is None else policy_version
        found = judge(policies or policy_names(version), version=version, days=days)
        return {"policies": [one.as_json() for one in found]}
