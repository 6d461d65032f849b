"""``manage.py tune``"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandParser

from apps.algorithms.strategy import Strategy
from apps.core.errors import InvalidInput
from apps.core.management.arguments import positive
from apps.experiments.policy import current_policy
from apps.training.management.measuring import MeasuringCommand
from apps.training.parameters import PREDICTOR, read_parameters
from apps.training.services.evaluating import Plan
from apps.training.services.proposing import propose, why_not_better
from apps.training.services.recipes import find_recipe, require_tunable, save_tuned
from apps.training.services.tuning import Budget, served_arms, tunable_arms, tune_catalogue
from apps.training.tuning_reports import tuning_as_json, tuning_lines

TRIALS, TIMED_TRIALS = 30, 300


class Command(MeasuringCommand):
    help = (
        "Searches for parameters on a slice of the training part, of arms by nDCG and of the rating "
        "predictor by RMSE, and says what they gain on ratings that the search never saw. Many are measured "
        "cheaply, the best of them in full."
    )
    example = "manage.py tune item_cf --trials 40 --save tuned"

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "arms",
            metavar="ARM",
            nargs="*",
            help=f"an arm, or {PREDICTOR} (default: each that serves, and what these are made of)",
        )
        parser.add_argument(
            "--trials",
            type=positive,
            help=f"parameters to try of each, at most (default: {TRIALS}, with --minutes {TIMED_TRIALS})",
        )
        parser.add_argument("--minutes", type=positive, help="of all searches; measuring in the end is more")
        parser.add_argument("--save", metavar="RECIPE", help="write what was found into this recipe")
        parser.add_argument(
            "--propose",
            action="store_true",
            help="if the ratings held back say that it is better, save it as a recipe of today's, which "
            "serves nobody",
        )
        self.add_measuring_arguments(parser)

    def execute_command(
        self,
        *args: Any,
        arms: Sequence[str],
        trials: int | None,
        minutes: int | None,
        save: str | None,
        propose: bool,
        **options: Any,
    ) -> Mapping[str, object]:
        _require_sense(arms, save, propose, options)
        if not arms and not options["data"] and not options["parameters"]:
            options["recipe"] = options["recipe"] or current_policy().recipe
        names = list(arms) or _all_that_serve(options)
        budget = Budget(trials or (TIMED_TRIALS if minutes else TRIALS), minutes)
        own = [*names, "--trials", str(budget.n_trials)] + (["--minutes", str(minutes)] if minutes else [])
        measured = [name for name in names if name != PREDICTOR]
        base = options["recipe"] if propose else ""
        result = self.measured(measured, own, names=names, budget=budget, base=base, **options)
        if save:
            found = {name: one["best"] for name, one in result["tuned"].items()}
            save_tuned(recipe=save, parameters=found)
        return {**result, "saved": save or ""}

    def measure(self, plan: Plan, progress: Callable[[str], None], **options: Any) -> Mapping[str, Any]:
        names = options["names"]
        # A plan of no arm is one of all.
        plan = replace(plan, arms=tuple(name for name in plan.arms if name in names))
        tuning = tune_catalogue(
            plan, budget=options["budget"], predictor=PREDICTOR in names, progress=progress
        )
        proposed = propose(tuning, base=options["base"]) if options["base"] else None
        return {
            **tuning_as_json(tuning),
            "why_not": why_not_better(tuning) if options["base"] else "",
            "proposed": proposed.name if proposed else "",
        }

    def write_result(self, result: Mapping[str, Any]) -> None:
        for line in tuning_lines(result):
            self.stdout.write(line)
        if result["why_not"]:
            self.stdout.write(f"\nNo recipe is proposed. {result['why_not']}")
        for recipe in filter(None, (result["saved"], result["proposed"])):
            self.stdout.write(f"\nSaved in recipe {recipe}; to fit it: manage.py train --recipe {recipe}")


def _require_sense(arms: Sequence[str], save: str | None, propose: bool, options: Mapping[str, Any]) -> None:
    """Before the search, not after it. Raises ``InvalidInput``."""
    if save:
        require_tunable(save)
    if propose and save:
        raise InvalidInput("Give --propose, which chooses the name, or --save, not both.")
    if propose and arms:
        raise InvalidInput("--propose tunes every arm that serves: leave the names out.")
    if propose and (options["data"] or options["parameters"]):
        raise InvalidInput("--propose goes by a recipe and the database: leave --data and --parameters out.")


def _all_that_serve(options: Mapping[str, Any]) -> list[str]:
    """Of files, which nobody is served from, what a new site serves."""
    file, recipe = options["parameters"], options["recipe"]
    given = read_parameters(file) if file else find_recipe(recipe).parameters if recipe else {}
    return [*(tunable_arms([Strategy()], given) if options["data"] else served_arms(given)), PREDICTOR]
