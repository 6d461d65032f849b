"""``manage.py evaluate_policy``"""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.bandits.services import judge, latest_version, policy_names
from apps.core.management.arguments import up_to
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
            help="uniform, an arm, version:N, weights:ARM=PART,… or terms:TERM=VALUE,…; "
            "without any, each of the first three kinds",
        )
        parser.add_argument(
            "--days", type=up_to(365), default=30, help="of the log to read, 1 to 365 (default: 30)"
        )
        parser.add_argument(
            "--policy-version",
            type=int,
            metavar="N",
            help="whose log is read (default: the newest that served)",
        )

    def execute_command(
        self, *args: Any, policies: list[str], days: int, policy_version: int | None, **options: Any
    ) -> Mapping[str, object]:
        version = latest_version() if policy_version is None else policy_version
        found = judge(policies or policy_names(version), version=version, days=days)
        return {"policies": [one.as_json() for one in found]}

    def write_result(self, result: Mapping[str, Any]) -> None:
        """A line for each policy, by the doubly robust estimate."""
        for one in result["policies"]:
            found = one["estimates"]["dr"]
            if found["value"] is None or found["verdict"] is None:
                self.stdout.write(f"{one['policy']}: no verdict, {found['reason']}")
                continue
            low, high = found["ci"]
            self.stdout.write(
                f"{one['policy']}: {found['verdict']}, {found['value']:.2%} of films a success "
                f"({low:.2%} to {high:.2%}; shown {one['logged']:.2%}), effective sample {found['ess']:,.0f}"
            )
