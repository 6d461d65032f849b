"""Fits a recipe and puts the result to work."""

import sys
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser
from tqdm import tqdm

from apps.core.management.base import MarqueeCommand
from apps.experiments.policy import current_policy, recipes_in_use
from apps.training.gate import read_checks
from apps.training.models import ModelVersion, TrainingRun, UpdateType
from apps.training.services import VersionRefused, train
from apps.training.services.locking import AlreadyRunning
from apps.training.services.training import STEPS


class Command(MarqueeCommand):
    help = (
        "Fit every algorithm on all ratings. Whoever is served by the recipe gets the result within two "
        "seconds. A recipe that serves nobody is tested beside the one that does, and refused where it is "
        "worse."
    )

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--recipe", help="the recipe to fit (default: the one that serves)")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--full", action="store_true", help="fit from nothing; the default")
        how.add_argument(
            "--warm-start", action="store_true", help="update what serves by what was rated since"
        )
        parser.add_argument("--run", type=int, metavar="ID", help="fit this run, which a worker took up")

    def execute_command(
        self, *args: Any, recipe: str | None, run: int | None, warm_start: bool, **options: Any
    ) -> Mapping[str, object]:
        # An empty name is a script's mistake, and no wish for the one that serves.
        chosen = current_policy().recipe if recipe is None else recipe
        hidden = self.quiet or not sys.stderr.isatty()
        with tqdm(total=len(STEPS), disable=hidden, file=sys.stderr, leave=False) as bar:

            def show(step: str) -> None:
                if not hidden:
                    bar.total = _n_steps() or bar.total
                bar.set_description(step)
                bar.update()

            update_type = UpdateType.WARM_START if warm_start else UpdateType.FULL
            try:
                version = train(
                    recipe=chosen, trigger="command", update_type=update_type, progress=show, run_id=run
                )
            except AlreadyRunning as running:
                # Whoever starts it twice, be it a schedule, wants it to run: it does.
                return {"already_running": running.detail}
            except VersionRefused as refused:
                if not self.quiet:
                    self._write_checks(refused.version.checks)
                raise
            return _summary(version)

    def write_result(self, result: Mapping[str, object]) -> None:
        super().write_result({name: value for name, value in result.items() if name != "checks"})
        self._write_checks(result.get("checks", []))

    def _write_checks(self, rows: Any) -> None:
        """A row for each: what it is of, its figure, its limit and the verdict."""
        for check in read_checks(rows):
            cells = (check.told_figure.rjust(10), check.told_limit.ljust(18), check.verdict)
            self.stdout.write(f"{check.name:<28}{'  '.join(cells)}")


def _n_steps() -> int:
    """Of the run under way: only it knows whether there is a back-test among them."""
    running = TrainingRun.objects.filter(status=TrainingRun.Status.RUNNING)
    return running.values_list("n_steps", flat=True).first() or 0


def _summary(version: ModelVersion) -> Mapping[str, object]:
    return {
        "version": version.name,
        "update_type": version.update_type,
        "recipe": version.recipe.name,
        "n_users": version.n_users,
        "n_movies": version.n_movies,
        "n_ratings": version.n_ratings,
        "seconds": version.metrics["seconds"],
        "fit_seconds": version.fit_seconds,
        "artifact_mb": round(version.metrics["artifact_bytes"] / 1e6, 1),
        "written_mb": round(version.metrics["written_bytes"] / 1e6, 1),
        "coverage": version.metrics["coverage"],
        "ndcg": version.metrics["ndcg"],
        "checks": version.checks,
        "serves": version.recipe.name in recipes_in_use(),
        "warnings": version.metrics["warnings"],
    }
