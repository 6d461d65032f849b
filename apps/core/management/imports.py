"""What the commands that import share."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.core.importing.bad_lines import BadLines
from apps.core.importing.history import note_import
from apps.core.importing.turn import only_import
from apps.core.management.base import MarqueeCommand


class ImportCommand(MarqueeCommand):
    """Subclasses implement ``import_from`` and add arguments of their own in ``add_options``.

    An import that came to its end is in the audit.
    """

    def add_command_arguments(self, parser: CommandParser) -> None:
        self.add_options(parser)
        parser.add_argument(
            "--skip-bad",
            action="store_true",
            help="leave bad lines out, count and list them, instead of refusing the data at the first",
        )

    @abstractmethod
    def add_options(self, parser: CommandParser) -> None:
        """Where to import from, and what else the command takes."""

    @abstractmethod
    def import_from(self, *args: Any, **options: Any) -> Mapping[str, object]:
        """Imports and says what came of it: ``source``, ``result`` and more.

        Bad lines go to the option ``bad``, a ``BadLines``.
        """

    def execute_command(self, *, skip_bad: bool, **options: Any) -> Mapping[str, object]:
        bad = BadLines(skip=skip_bad)
        with only_import():
            report = self.import_from(bad=bad, **options)
            name = type(self).__module__.rpartition(".")[2]
            note_import(command=name, source=str(report["source"]), result=str(report["result"]))
        return {**report, "bad_lines": bad.as_json()}
