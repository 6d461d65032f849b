"""``manage.py demo``"""

import time
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.core.errors import Unavailable
from apps.core.management.base import MarqueeCommand
from apps.core.management.interpreter import interpreter
from apps.pages import demo
from apps.pages.management.commands.serve import add_address_arguments
from apps.pages.serving import require_free, serve_site, site_address
from apps.ratings.importing.records import CITATION, TERMS
from apps.ratings.models import Rating

POLL_SECONDS = 2.0


class Command(MarqueeCommand):
    help = (
        "Loads real ratings, trains, makes accounts and serves the site, until Ctrl-C. "
        "What is there already is kept. With --json the result comes when it ends."
    )

    def add_command_arguments(self, parser: CommandParser) -> None:
        add_address_arguments(parser)
        parser.add_argument("--no-serve", action="store_true", help="prepare everything, then end")

    def execute_command(
        self, *, host: str, port: int, no_serve: bool, **options: Any
    ) -> Mapping[str, object]:
        if not no_serve:
            require_free(host, port)
        try:
            result = self._prepare()
        except KeyboardInterrupt:
            raise Unavailable("Interrupted: the next run goes on where this one stopped") from None
        if not no_serve:
            address = site_address(host, port)
            serve_site(host=host, port=port, when_ready=lambda: self._say_addresses(address))
            result["served"] = address
        return result if self.quiet else {}

    def _prepare(self) -> dict[str, object]:
        self._say("Preparing the database")
        migrated = demo.migrate()
        loaded, trained = self._load(), self._train()
        passwords = demo.ensure_accounts()
        # At once: nobody can read them again, and serving may be interrupted.
        self._say_accounts(passwords)
        return {
            "migrated": migrated,
            "loaded": loaded,
            "trained": trained,
            "passwords": passwords,
        }

    def _load(self) -> bool:
        if demo.has_data():
            return False
        self._say("Loading MovieLens ratings")
        demo.load_data()
        people = User.objects.filter(is_imported=True).count()
        counts = f"{Rating.objects.count():,} ratings of {Movie.objects.count():,} films by {people:,} people"
        self._say(f"  {counts}")
        hidden = Movie.objects.filter(is_available=False).count()
        if hidden:
            self._say(f"  {hidden} films have neither title nor year there: they are kept, and hidden")
        self._say(f"  {CITATION}\n  {TERMS}")
        return True

    def _train(self) -> bool:
        if demo.has_model():
            return False
        if demo.is_training():
            self._say("Waiting for a training run that is under way, or was cut off less than 5 minutes ago")
        while demo.is_training():
            time.sleep(POLL_SECONDS)
        if not demo.has_model():
            self._say("Training")
            demo.train()
        return True

    def _say_accounts(self, passwords: Mapping[str, str]) -> None:
        if passwords:
            self._say("\nAccounts made now; the passwords are shown this once:")
            for username, password in passwords.items():
                self._say(f"  {username:<8} {password}")
        if len(passwords) < len((demo.VIEWER, demo.STAFF, demo.ADMIN)):
            self._say("\nAccounts made before keep their passwords. To set one anew:")
            self._say(f"  {interpreter()} manage.py changepassword {demo.ADMIN}")

    def _say_addresses(self, address: str) -> None:
        self._say("\nMarquee serves until Ctrl-C:")
        for name, path in (("site", "/"), ("admin", "/admin/"), ("API", "/api/docs")):
            self._say(f"  {name:<8} {address}{path}")

    def _say(self, line: str) -> None:
        if not self.quiet:
            self.stdout.write(line)
            self.stdout.flush()
