"""``manage.py serve``"""

from argparse import ArgumentTypeError
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.core.errors import Unavailable
from apps.core.management.base import MarqueeCommand
from apps.core.migrated import is_migrated
from apps.pages.serving import require_free, serve_site, site_address

HOST, PORT = "127.0.0.1", 8000
LAST_PORT = 65535


def add_address_arguments(parser: CommandParser) -> None:
    parser.add_argument("--host", default=HOST, help=f"the address to listen on (default: {HOST})")
    parser.add_argument("--port", type=port_number, default=PORT, help=f"the port (default: {PORT})")


def port_number(text: str) -> int:
    """A port to listen on, or a sentence by argparse and exit code 2."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= LAST_PORT):
        raise ArgumentTypeError(f"{text!r} is no port: give a number from 1 to {LAST_PORT}")
    return int(text)


class Command(MarqueeCommand):
    help = (
        "Serves the site with worker and beat in this one process, until Ctrl-C. "
        "With --json the result comes when it ends."
    )

    def add_command_arguments(self, parser: CommandParser) -> None:
        add_address_arguments(parser)

    def execute_command(self, *, host: str, port: int, **options: Any) -> Mapping[str, object]:
        require_free(host, port)
        if not is_migrated():
            raise Unavailable("The database lacks migrations: run manage.py migrate, or manage.py demo")
        address = site_address(host, port)

        def say() -> None:
            if not self.quiet:
                self.stdout.write(f"Serving on {address}/ until Ctrl-C")
                self.stdout.flush()

        serve_site(host=host, port=port, when_ready=say)
        return {"served": address} if self.quiet else {}
