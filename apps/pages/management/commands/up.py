"""``manage.py up``"""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.core.management.base import MarqueeCommand
from apps.pages.management.commands.serve import add_address_arguments
from apps.pages.production import (
    prepare,
    processes,
    production_environment,
    require_postgres,
    require_redis,
    watch,
)
from apps.pages.serving import require_free, site_address


class Command(MarqueeCommand):
    help = (
        "Starts production's processes on this machine until Ctrl-C: migrations, then gunicorn, worker and "
        "beat, on the PostgreSQL of DATABASE_URL and the Redis of REDIS_URL (default: both on 127.0.0.1)."
    )
    # They are asked of production's settings, and not of those that this command has.
    requires_system_checks = []

    def add_command_arguments(self, parser: CommandParser) -> None:
        add_address_arguments(parser)

    def execute_command(self, *, host: str, port: int, **options: Any) -> Mapping[str, object]:
        require_free(host, port)
        environment = production_environment(host=host, port=port)
        require_redis(environment["REDIS_URL"])
        made = require_postgres(environment["DATABASE_URL"])
        prepare(environment)
        address = site_address(host, port)

        def say() -> None:
            if not self.quiet:
                self.stdout.write(
                    f"Serving on {address}/ until Ctrl-C; {address}/readyz says how each part is"
                )
                self.stdout.flush()

        with processes(environment) as running:
            watch(running, address=address, when_ready=say)
        return {"served": address, "made_database": made} if self.quiet else {}
