"""``manage.py ab_replay``"""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.core.management.base import MarqueeCommand, Refused
from apps.experiments.services import replay_decision


class Command(MarqueeCommand):
    help = (
        "Makes the verdict of an experiment's decision again, from the figures that its ledger keeps and the"
        " plan of its phase, and says whether it is the same to the last digit."
    )
    example = "manage.py ab_replay 12"

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("decision", type=int, metavar="ID", help="of the decision, as the admin shows it")

    def execute_command(self, *args: Any, decision: int, **options: Any) -> Mapping[str, object]:
        found = replay_decision(decision)
        if found.differing:
            raise Refused(
                f"Decision {decision} comes out otherwise now: {', '.join(found.differing)} differ."
            )
        key = found.decision.experiment_id
        return {"decision": decision, "experiment": key, "same": True, "verdict": found.verdict}

    def write_result(self, result: Mapping[str, Any]) -> None:
        verdict = result["verdict"]
        self.stdout.write(
            f"{result['experiment']}, decision {result['decision']}: the same. {verdict['sentence']}"
        )
