"""What the commands that measure on held-back ratings share."""

import sys
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandParser
from tqdm import tqdm

from apps.algorithms.evaluation import PROTOCOLS
from apps.catalog.importing.graph_files import open_graph
from apps.catalog.importing.tmdb_files import open_files
from apps.core.errors import InvalidInput
from apps.core.importing.downloading import is_url
from apps.core.json import decode, encode
from apps.core.management.arguments import positive
from apps.core.management.base import MarqueeCommand
from apps.ratings.importing.layouts import open_source
from apps.training.parameters import read_parameters
from apps.training.scratch import DataPlaces, run_command, scratch_site
from apps.training.services.evaluating import Plan, make_plan
from apps.training.services.recipes import find_recipe


class MeasuringCommand(MarqueeCommand):
    """Subclasses implement ``measure``; ``--data`` runs the same command where that data alone is."""

    def add_measuring_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--protocol",
            default=next(iter(PROTOCOLS)),
            help="; ".join(f"{one.name}: {one.description}" for one in PROTOCOLS.values()),
        )
        parser.add_argument(
            "--test-share", type=float, metavar="SHARE", help="held back, between 0 and 1; with k-fold 1/n"
        )
        parser.add_argument(
            "--relevant",
            metavar="STARS",
            help="a held-back film is to be found from so many stars on, or any",
        )
        parser.add_argument("--k", type=positive, default=10, help="length of the lists (default: 10)")
        parser.add_argument(
            "--seed", type=int, default=42, help="of the split and the fits, from 0 (default: 42)"
        )
        parser.add_argument("--recipe", help="parameters of the arms (default: their own)")
        parser.add_argument("--parameters", metavar="FILE", help="parameters by arm, as JSON, instead")
        parser.add_argument(
            "--data", metavar="PATH", help="measure on a release of MovieLens instead of the database"
        )
        parser.add_argument(
            "--films", metavar="PATH", action="append", default=[], help="with --data: tables of TMDB as well"
        )
        parser.add_argument(
            "--graph", metavar="PATH", default="", help="with --data: a knowledge graph as well"
        )

    @abstractmethod
    def measure(self, plan: Plan, progress: Callable[[str], None], **options: Any) -> Mapping[str, Any]:
        """What the plan gives on this database; ``options`` are the subclass's own."""

    def measured(self, arms: Sequence[str] | None, own: Sequence[str], **options: Any) -> Mapping[str, Any]:
        """``measure`` here, or in a process where ``--data`` is.

        ``own`` are the subclass's words for that process. Everything is refused before a long load.
        """
        recipe, file, data = options.pop("recipe"), options.pop("parameters"), options.pop("data")
        films, graph = options.pop("films"), options.pop("graph")
        if recipe and file:
            raise InvalidInput("Give --recipe or --parameters, not both.")
        if (films or graph) and not data:
            raise InvalidInput("--films and --graph belong to --data; the database has its own.")
        names = {"protocol", "test_share", "relevant", "k", "seed", "diversities"} & set(options)
        plan = make_plan(
            arms=arms, parameters=_parameters(recipe, file), **{name: options.pop(name) for name in names}
        )
        if data:
            return self._elsewhere(plan, DataPlaces(data, films, graph), own)
        with self._progress() as progress:
            return self.measure(plan, progress, **options)

    def _elsewhere(self, plan: Plan, places: DataPlaces, own: Sequence[str]) -> Mapping[str, Any]:
        name = type(self).__module__.rpartition(".")[2]
        relevant = "any" if plan.relevant is None else str(plan.relevant)
        words = [*own, "--protocol", plan.protocol.name, "--test-share", str(plan.test_share)]
        words += ["--relevant", relevant, "--k", str(plan.k), "--seed", str(plan.seed)]
        _look_at(places)
        with scratch_site(places) as site:
            file = site.folder / "parameters.json"
            file.write_bytes(encode(plan.parameters))
            said = run_command(
                site.environment, name, *words, "--parameters", str(file), "--json", hear=not self.quiet
            )
        answer: Mapping[str, Any] = decode(said.encode())
        return {**answer, "data": places.names}

    @contextmanager
    def _progress(self) -> Iterator[Callable[[str], None]]:
        """One line that says what is under way, and for how long."""
        hidden = not sys.stderr.isatty()
        with tqdm(disable=hidden, file=sys.stderr, leave=False, bar_format="{desc} {elapsed}") as bar:
            yield bar.set_description


def _look_at(places: DataPlaces) -> None:
    """Refuses what is no data set before tables are made for it; an address is fetched only by the load."""
    if not is_url(places.ratings):
        with open_source(places.ratings, progress=lambda items, total, title: iter(items)):
            pass
    for table in places.films:
        open_files(table)
    if places.graph:
        open_graph(places.graph)


def _parameters(recipe: str | None, file: str | None) -> Mapping[str, Any]:
    if file:
        return read_parameters(file)
    return find_recipe(recipe).parameters if recipe else {}
