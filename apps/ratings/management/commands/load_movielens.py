"""``manage.py load_movielens demo|PATH|URL``"""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.core.importing.bad_lines import BadLines
from apps.core.management.arguments import positive
from apps.core.management.imports import ImportCommand
from apps.ratings.importing.layouts import open_source
from apps.ratings.importing.loading import load


class Command(ImportCommand):
    help = (
        "Loads films, ratings and tags of MovieLens, of any release: 100k, 1m, 10m, 20m, 25m, 32m, latest. "
        "Doing it again changes nothing; after an interruption it goes on. "
        "People of the data set become accounts that nobody can log in to. "
        "The demo data has five films without title and year: they are loaded hidden."
    )
    example = "manage.py load_movielens https://files.grouplens.org/datasets/movielens/ml-latest-small.zip"

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument(
            "place",
            metavar="demo|PATH|URL",
            help="the demo data, a folder or zip as released, or a zip's URL",
        )
        parser.add_argument(
            "--name", help="what marks the people of the data set; by default the file's name"
        )
        parser.add_argument(
            "--max-mb", type=positive, default=2048, help="refuse a download that is larger (default: 2048)"
        )

    def import_from(
        self, *, bad: BadLines, place: str, name: str | None, max_mb: int, **_: Any
    ) -> Mapping[str, object]:
        with open_source(place, name, progress=self.progress, max_bytes=max_mb * 2**20) as source:
            return load(source, bad=bad, progress=self.progress).as_json()
