"""``manage.py load_knowledge_graph PATH``"""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.catalog.importing.graph_files import open_graph
from apps.catalog.importing.knowledge_graph import load
from apps.core.importing.bad_lines import BadLines
from apps.core.management.imports import ImportCommand


class Command(ImportCommand):
    help = (
        "Loads a knowledge graph about films of the catalogue, as RecBole has it: .kg and .link, and beside "
        "them .item (titles and years) and .names (names of things) if there are any. People, genres and "
        "keywords with a name go to films that have none. Doing it again changes nothing."
    )
    example = "manage.py load_knowledge_graph dataset/ml-100k"

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument(
            "path", metavar="PATH", help="a .kg file with its .link beside it, or a folder or zip with both"
        )

    def import_from(self, *, bad: BadLines, path: str, **_: Any) -> Mapping[str, object]:
        return load(open_graph(path), bad=bad, progress=self.progress)
