"""``manage.py enrich_tmdb``"""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from apps.catalog.importing.enriching import enrich
from apps.catalog.importing.loading import TERMS
from apps.catalog.importing.tmdb_api import TmdbApi
from apps.core.importing.turn import only_import
from apps.core.management.arguments import positive
from apps.core.management.base import MarqueeCommand


class Command(MarqueeCommand):
    help = (
        "Asks TMDB about films: overview, people, keywords, poster, votes, series. Needs TMDB_API_KEY. "
        "What a film has already is kept. An interrupted run goes on where it stopped; films that could "
        "not be found are listed, and not asked about again."
    )
    example = "manage.py enrich_tmdb --limit 500"

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--limit", type=positive, metavar="N", help="at most so many films, the most rated first"
        )
        parser.add_argument(
            "--older-than",
            type=positive,
            metavar="DAYS",
            help="ask again about films that were asked about longer ago; TMDB wants that within 180 days",
        )

    def execute_command(self, *, limit: int | None, older_than: int | None, **_: Any) -> Mapping[str, object]:
        rate = settings.TMDB_REQUESTS_PER_SECOND
        api = TmdbApi(settings.TMDB_API_URL, settings.TMDB_API_KEY, per_second=rate)
        with only_import(), closing(api):
            report = enrich(api, limit=limit, older_than_days=older_than, progress=self.progress)
        return {**report, "terms": TERMS}
