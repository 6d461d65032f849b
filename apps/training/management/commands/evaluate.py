"""``manage.py evaluate``"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import CommandParser
from tqdm import tqdm

from apps.algorithms.evaluation import PROTOCOLS
from apps.core.errors import InvalidInput
from apps.core.json import decode, encode
from apps.core.management.arguments import positive
from apps.core.management.base import MarqueeCommand
from apps.training.parameters import read_parameters
from apps.training.plots import draw_arms, require_plotting
from apps.training.reporting import evaluation_as_json, evaluation_tables
from apps.training.scratch import DataPlaces, run_command, scratch_site
from apps.training.services.evaluating import Evaluation, Plan, evaluate_catalogue, make_plan
from apps.training.services.recipes import find_recipe


class Command(MarqueeCommand):
    help = (
        "Measures arms on ratings held back: how well they find films, how varied and how new their lists "
        "are, and how far predicted ratings are off. Full ranking; standard errors are over viewers."
    )
    example = "manage.py evaluate --arms popular,item_cf,hybrid --protocol last --k 10"

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--arms", metavar="NAMES", help="parted by commas (default: all)")
        parser.add_argument(
            "--protocol",
            default=next(iter(PROTOCOLS)),
            help="; ".join(f"{one.name}: {one.description}" for one in PROTOCOLS.values()),
        )
        parser.add_argument("--test-share", type=float, metavar="SHARE", help="held back, between 0 and 1")
        parser.add_argument(
            "--relevant",
            metavar="STARS",
            help="a held-back film is to be found from so many stars on, or any",
        )
        parser.add_argument("--k", type=positive, default=10, help="length of the lists (default: 10)")
        parser.add_argument("--seed", type=int, default=42, help="of the split and the fits (default: 42)")
        parser.add_argument("--recipe", help="parameters of the arms (default: their own)")
        parser.add_argument("--parameters", metavar="FILE", help="parameters by arm, as JSON, instead")
        parser.add_argument("--plot", metavar="FILE", help="draw nDCG against coverage as SVG")
        parser.add_argument(
            "--data", metavar="PATH", help="measure on a release of MovieLens instead of the database"
        )
        parser.add_argument(
            "--films", metavar="PATH", action="append", default=[], help="with --data: tables of TMDB as well"
        )
        parser.add_argument(
            "--graph", metavar="PATH", default="", help="with --data: a knowledge graph as well"
        )

    def execute_command(
        self,
        *,
        arms: str | None,
        protocol: str,
        test_share: float | None,
        relevant: str | None,
        k: int,
        seed: int,
        recipe: str | None,
        parameters: str | None,
        plot: str | None,
        data: str | None,
        films: Sequence[str],
        graph: str,
        **options: Any,
    ) -> Mapping[str, object]:
        names = [name.strip() for name in arms.split(",") if name.strip()] if arms else None
        if recipe and parameters:
            raise InvalidInput("Give --recipe or --parameters, not both.")
        # Everything is refused before a long load.
        plan = make_plan(
            arms=names,
            protocol=protocol,
            test_share=test_share,
            relevant=relevant,
            k=k,
            seed=seed,
            parameters=_parameters(recipe, parameters),
        )
        if (films or graph) and not data:
            raise InvalidInput("--films and --graph belong to --data; the database has its own.")
        places = DataPlaces(data, films, graph) if data else None
        if plot:
            require_plotting(plot)
        result = _elsewhere(plan, places) if places else evaluation_as_json(self._evaluate(plan))
        if plot:
            draw_arms(result, plot)
        return result

    def _evaluate(self, plan: Plan) -> Evaluation:
        hidden = not sys.stderr.isatty()
        with tqdm(disable=hidden, file=sys.stderr, leave=False, bar_format="{desc} {elapsed}") as bar:
            return evaluate_catalogue(plan, progress=bar.set_description)

    def write_result(self, result: Mapping[str, Any]) -> None:
        """As Markdown, so that a document can hold it."""
        for line in evaluation_tables(result):
            self.stdout.write(line)


def _parameters(recipe: str | None, file: str | None) -> Mapping[str, Any]:
    if file:
        return read_parameters(file)
    return find_recipe(recipe).parameters if recipe else {}


def _elsewhere(plan: Plan, places: DataPlaces) -> Mapping[str, Any]:
    """The same plan in a process that has the data alone."""
    words = ["--arms", ",".join(plan.arms), "--protocol", plan.protocol.name]
    words += ["--test-share", str(plan.test_share), "--k", str(plan.k), "--seed", str(plan.seed)]
    words += ["--relevant", "any" if plan.relevant is None else str(plan.relevant)]
    with scratch_site(places) as site:
        parameters = site.folder / "parameters.json"
        parameters.write_bytes(encode(plan.parameters))
        said = run_command(
            site.environment, "evaluate", *words, "--parameters", str(parameters), "--json", hear=True
        )
    answer: Mapping[str, Any] = decode(said.encode())
    return {**answer, "data": places.names}
