import sys
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.accounts.lookup import user_named
from apps.accounts.privacy import erase_user
from apps.core.errors import InvalidInput
from apps.core.management.base import MarqueeCommand


class Command(MarqueeCommand):
    help = "Erases everything held about a user. There is no way back."

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the user's id or name")
        parser.add_argument("--no-input", action="store_true", help="do not ask, not even on a terminal")

    def execute_command(self, *, user: str, no_input: bool, **options: Any) -> Mapping[str, object]:
        person = user_named(user)
        user_id = person.pk
        if sys.stdin.isatty() and not no_input:
            answer = input(f"Erase user {user_id} ({person.username}) for good? Type yes: ")
            if answer.strip() != "yes":
                raise InvalidInput("Nothing was erased")
        erase_user(person)
        return {"user_id": user_id, "erased": True}
