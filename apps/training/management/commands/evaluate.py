"""``manage.py evaluate``"""

from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.management.base import CommandParser

from apps.training.management.measuring import MeasuringCommand
from apps.training.plots import draw_arms, draw_trade_offs, require_plotting
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
        parser.add_argument(
            "--diversity",
            type=_numbers,
            default=(0.0,),
            metavar="NUMBERS",
            help="measure each arm at each of these, from 0 to 1, parted by commas (default: 0)",
        )
        parser.add_argument(
            "--plot", metavar="FILE", help="draw nDCG against coverage, or what diversity trades, as SVG"
        )

    def execute_command(
        self, *args: Any, arms: str | None, diversity: Sequence[float], plot: str | None, **options: Any
    ) -> Mapping[str, object]:
        if plot:
            require_plotting(plot)
        names = [name.strip() for name in arms.split(",") if name.strip()] if arms else None
        own = ["--arms", ",".join(names)] if names else []
        own += ["--diversity", ",".join(map(str, diversity))]
        return self.measured(names, own, diversities=diversity, **options)

    def finish_command(
        self,
        result: Mapping[str, object],
        *args: Any,
        diversity: Sequence[float],
        plot: str | None,
        **options: Any,
    ) -> None:
        if plot and len(diversity) > 1:
            draw_trade_offs(result, plot)
        elif plot:
            draw_arms(result, plot)

    def measure(self, plan: Plan, progress: Callable[[str], None], **options: Any) -> Mapping[str, Any]:
        return evaluation_as_json(evaluate_catalogue(plan, progress=progress))

    def write_result(self, result: Mapping[str, Any]) -> None:
        """As Markdown, so that a document can hold it."""
        for line in evaluation_tables(result):
            self.stdout.write(line)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError:
        raise ArgumentTypeError(f"numbers parted by commas are needed, not {text!r}") from None
