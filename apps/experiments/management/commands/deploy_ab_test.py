"""``manage.py deploy_ab_test``"""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.core.management.base import MarqueeCommand, Refused
from apps.experiments.services.first_test import Deployed, deploy_first_test


class Command(MarqueeCommand):
    help = (
        "Makes the first test, the bandit against the hybrid, as a draft, and starts it if asked to. Where it"
        " is there already nothing of it is changed."
    )
    example = 'manage.py deploy_ab_test --start --reason "A new site: how long it takes is not known yet"'

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--start", action="store_true", help="start it, if all that must hold does")
        parser.add_argument(
            "--reason", default="", metavar="TEXT", help="why to start whatever the checklist warns of"
        )

    def execute_command(self, *args: Any, start: bool, reason: str, **options: Any) -> Mapping[str, object]:
        found = deploy_first_test(by=None, begin=start, reason=reason)
        return {
            "experiment": found.experiment.key,
            "state": found.experiment.state,
            "created": found.is_created,
            "started": found.is_started,
            "said": _said(found),
            "refusal": found.refusal,
        }

    def write_result(self, result: Mapping[str, object]) -> None:
        self.stdout.write(str(result["said"]))

    def finish_command(self, result: Mapping[str, object], *args: Any, **options: Any) -> None:
        if result["refusal"]:
            raise Refused(str(result["refusal"]))


def _said(found: Deployed) -> str:
    key, state = found.experiment.key, found.experiment.get_state_display().lower()
    if found.is_started:
        return f"{key} was {'made and ' if found.is_created else ''}started: it is {state}."
    if found.is_created:
        return f"{key} was made: it is a {state}."
    return f"{key} is there already, and is {'a draft' if state == 'draft' else state}: nothing was changed."
