"""``manage.py load_tmdb PATH``"""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.catalog.importing.loading import load
from apps.catalog.importing.tmdb_files import open_files
from apps.core.importing.bad_lines import BadLines
from apps.core.management.imports import ImportCommand


class Command(ImportCommand):
    help = (
        "Loads films with overviews, people, keywords and votes: tmdb_5000_movies.csv with its credits, "
        "movies_metadata.csv with credits and keywords, or any CSV with a title and a year or an id. "
        "Films that are there are found by their ids, else by title and year, and have their gaps filled. "
        "Doing it again changes nothing; after an interruption it goes on."
    )
    example = "manage.py load_tmdb tmdb_5000_movies.csv --skip-bad"

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("path", metavar="PATH", help="a CSV of films, or a folder or zip that holds one")

    def import_from(self, *, bad: BadLines, path: str, **_: Any) -> Mapping[str, object]:
        return load(open_files(path), bad=bad, progress=self.progress)
