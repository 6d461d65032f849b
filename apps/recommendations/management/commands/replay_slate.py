"""``manage.py replay_slate``"""

from argparse import ArgumentTypeError
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from apps.core.management.base import MarqueeCommand, Refused
from apps.recommendations.replaying import replay


class Command(MarqueeCommand):
    help = (
        "Makes a slate of the log again from what is stored of it, and says whether it is the same. Exits "
        "with 1 when it is not, or when a part that it came from is gone."
    )
    example = "manage.py replay_slate 01936c1e-6f0a-7c3e-9a4b-0123456789ab"

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slate", type=_uuid, help="its id: recommendation_id in the API")

    def execute_command(self, *args: Any, slate: UUID, **options: Any) -> Mapping[str, object]:
        found = replay(slate)
        return {
            "slate": str(slate),
            "same": found.is_same,
            "shown": [asdict(one) for one in found.shown],
            "again": [asdict(one) for one in found.again],
        }

    def finish_command(self, result: Mapping[str, object], *args: Any, **options: Any) -> None:
        if not result["same"]:
            raise Refused("The slate made again differs from the one that was shown")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError(f"the id of a slate is needed, not {text!r}") from None
