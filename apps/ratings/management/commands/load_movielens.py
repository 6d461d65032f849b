"""``manage.py load_movielens demo|PATH``"""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.core.management.base import MarqueeCommand
from apps.ratings.importing.layouts import open_source
from apps.ratings.importing.loading import load


class Command(MarqueeCommand):
    help = (
        "Loads films, ratings and tags of MovieLens. Doing it again changes nothing. "
        "People of the data set become accounts that nobody can log in to. "
        "The demo data has five films without title and year: they are loaded hidden."
    )

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "place",
            help="demo, or a folder or zip with movies.csv and ratings.csv (links.csv, tags.csv optional)",
        )
        parser.add_argument(
            "--name", help="what marks the people of the data set; by default the file's name"
        )

    def execute_command(self, *, place: str, name: str | None, **_: Any) -> Mapping[str, object]:
        return load(open_source(place, name), progress=self.progress).as_json()
