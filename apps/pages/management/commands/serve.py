"""``manage.py serve``"""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.core.errors import Unavailable
from apps.core.management.base import MarqueeCommand
from apps.pages.health import is_migrated
from apps.pages.serving import require_free, serve_site, site_address

HOST, PORT = "127.0.0.1", 8000


def add_address_arguments(parser: CommandParser) -> None:
    parser.add_argument("--host", default=HOST, help=f"the address to listen on (default: {HOST})")
    parser.add_argument("--port", type=int, default=PORT, help=f"the port (default: {PORT})")


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
