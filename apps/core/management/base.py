"""What all our commands share: one result as text or JSON, and exit codes 0, 1 and 2."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from tqdm import tqdm

from apps.core.errors import ApplicationError
from apps.core.json import encode
from apps.core.migrated import is_migrated

T = TypeVar("T")


class Refused(CommandError):
    """Django prints the name of the class before the sentence, and exits with 1."""


class MarqueeCommand(BaseCommand, ABC):
    """Subclasses implement ``execute_command`` and may override ``add_command_arguments``.

    ``example`` is a whole command line that ``--help`` ends with.

    Exit codes: 0 done, 1 refused (one line on stderr), 2 not called as ``--help`` says.
    """

    example = ""

    def add_arguments(self, parser: CommandParser) -> None:
        if self.example:
            parser.epilog = f"Example: {self.example}"
        parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
        self.add_command_arguments(parser)

    def add_command_arguments(self, parser: CommandParser) -> None:
        """Arguments of the subclass."""

    @abstractmethod
    def execute_command(self, *args: Any, **options: Any) -> Mapping[str, object]:
        """Does the work and returns the result, name by name. Values must be JSON.

        Subclasses name the options they use as keyword-only parameters.
        """

    def finish_command(self, result: Mapping[str, object], *args: Any, **options: Any) -> None:
        """What is left to do when the result is printed, so that a refusal loses nothing."""

    def handle(self, *args: Any, **options: Any) -> None:
        self.quiet = bool(options["json"])
        try:
            result = self.execute_command(**options)
            self._print(result)
            self.finish_command(result, **options)
        except ApplicationError as refusal:
            raise Refused(refusal.detail) from None
        except KeyboardInterrupt:
            raise Refused("Interrupted; what was not finished was undone, and can be run again") from None
        except DatabaseError:
            reason = _why_no_database()
            if not reason:
                raise
            raise Refused(reason) from None

    def _print(self, result: Mapping[str, object]) -> None:
        if self.quiet:
            self.stdout.write(encode(result).decode())
        else:
            self.write_result(result)

    def write_result(self, result: Mapping[str, object]) -> None:
        """For a person to read: a line for each name, unless the subclass knows better."""
        for name, value in result.items():
            self.stdout.write(f"{name.replace('_', ' ')}: {_text(value)}")

    def progress(self, iterable: Iterable[T], total: int | None, label: str) -> Iterator[T]:
        """The same items, with a bar on stderr if that is a terminal and the answer is not JSON."""
        hidden = getattr(self, "quiet", False) or not sys.stderr.isatty()
        yield from tqdm(iterable, total=total, desc=label, disable=hidden, file=sys.stderr, leave=False)


def _why_no_database() -> str:
    """Empty where the database answers and has its tables."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        first = str(error).strip().partition("\n")[0]
        return f"The database that DATABASE_URL names does not answer: {first}"
    return "" if is_migrated() else "The database lacks tables: run manage.py migrate, then this again"


def _text(value: object) -> str:
    return value if isinstance(value, str) else encode(value).decode()
