from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.accounts.lookup import user_named
from apps.accounts.privacy import export_user
from apps.core.errors import InvalidInput
from apps.core.management.base import MarqueeCommand


class Command(MarqueeCommand):
    help = "Writes everything held about a user into a zip of JSON and CSV files."

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the user's id or name")
        parser.add_argument(
            "--to",
            type=Path,
            help="the file to write; marquee-user-<id>.zip in the current folder if left out",
        )

    def execute_command(self, *, user: str, to: Path | None, **options: Any) -> Mapping[str, object]:
        person = user_named(user)
        file = to or Path(f"marquee-user-{person.pk}.zip")
        content = export_user(person)
        try:
            file.write_bytes(content)
        except OSError as error:
            raise InvalidInput(f"{file} cannot be written: {error.strerror}") from None
        return {"user_id": person.pk, "file": str(file), "bytes": len(content)}
