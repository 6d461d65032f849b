"""``manage.py evaluate``"""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.training.management.measuring import MeasuringCommand
from apps.training.plots import draw_arms, require_plotting
from apps.training.reporting import evaluation_as_json, evaluation_tables
from apps.training.services.evaluating import Plan, evaluate_catalogue


class Command(MeasuringCommand):
    help = (
        "Measures arms on ratings held back: how well they find films, how varied and how new their lists "
        "are, and how far predicted ratings are off. Full ranking; standard errors are over viewers."
    )
    example = "manage.py evaluate --arms popular,item_cf,hybrid --protocol last --k 10"

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--arms", metavar="NAMES", help="parted by commas (default: all)")
        self.add_measuring_arguments(parser)
        parser.add_argument("--plot", metavar="FILE", help="draw nDCG against coverage as SVG")

    def execute_command(
        self, *args: Any, arms: str | None, plot: str | None, **options: Any
    ) -> Mapping[str, object]:
        if plot:
            require_plotting(plot)
        names = [name.strip() for name in arms.split(",") if name.strip()] if arms else None
        result = self.measured(names, ["--arms", ",".join(names)] if names else [], **options)
        if plot:
            draw_arms(result, plot)
        return result

    def measure(self, plan: Plan, progress: Callable[[str], None], **options: Any) -> Mapping[str, Any]:
        return evaluation_as_json(evaluate_catalogue(plan, progress=progress))

    def write_result(self, result: Mapping[str, Any]) -> None:
        """As Markdown, so that a document can hold it."""
        for line in evaluation_tables(result):
            self.stdout.write(line)
