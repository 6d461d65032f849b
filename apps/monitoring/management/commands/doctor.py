"""``manage.py doctor``"""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.core.management.base import MarqueeCommand
from apps.monitoring.parts.database import DATABASE
from apps.monitoring.parts.installation import installation
from apps.monitoring.parts.looking import look_at
from apps.monitoring.parts.part import Part, State
from apps.monitoring.parts.rows import rows
from apps.monitoring.parts.shared import configured

SECONDS = 20.0


class Command(MarqueeCommand):
    help = (
        "Looks at everything the site needs and prints one line for each part: ok, warning or problem, with "
        "what to do. Exits with 1 if there is a problem. Changes nothing and prints no secret."
    )
    # It says itself what the checks say, and goes on.
    requires_system_checks = []

    def execute_command(self, **options: Any) -> Mapping[str, object]:
        parts = _examine()
        self.has_problem = any(part.state is State.PROBLEM for part in parts)
        if self.quiet:
            told = [
                {"name": part.name, "state": part.state, "says": part.says, **part.facts} for part in parts
            ]
            return {"ok": not self.has_problem, "parts": told}
        width = max(len(part.name) for part in parts)
        for part in parts:
            self.stdout.write(f"{part.state:<8} {part.name:<{width}}  {part.says}")
        return {}

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if self.has_problem:
            raise SystemExit(1)


def _examine() -> Sequence[Part]:
    parts = look_at([*installation(), DATABASE, *configured()], seconds=SECONDS)
    if any(part.name == "migrations" and part.is_ok for part in parts):
        parts += look_at(rows(), seconds=SECONDS)
    return parts
