"""``manage.py tune``"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from apps.core.json import encode
from apps.core.management.arguments import positive
from apps.training.management.measuring import MeasuringCommand
from apps.training.services.evaluating import Plan
from apps.training.services.recipes import require_tunable, save_tuned
from apps.training.services.tuning import tune_catalogue


class Command(MeasuringCommand):
    help = (
        "Searches for the parameters of one arm, by nDCG on a slice of the training part, and says what they "
        "gain on ratings that the search never saw."
    )
    example = "manage.py tune item_cf --trials 40 --save tuned"

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("arm", metavar="ARM")
        parser.add_argument("--trials", type=positive, default=30, help="parameters to try (default: 30)")
        parser.add_argument("--save", metavar="RECIPE", help="write what was found into this recipe")
        self.add_measuring_arguments(parser)

    def execute_command(
        self, *args: Any, arm: str, trials: int, save: str | None, **options: Any
    ) -> Mapping[str, object]:
        if save:
            require_tunable(save)  # before the search, not after it
        result = self.measured([arm], [arm, "--trials", str(trials)], trials=trials, **options)
        if save:
            save_tuned(recipe=save, arm=arm, parameters=result["best"])
        return {**result, "saved": save or ""}

    def measure(self, plan: Plan, progress: Callable[[str], None], **options: Any) -> Mapping[str, Any]:
        tuned = tune_catalogue(plan, n_trials=options["trials"], progress=progress)
        before, after = tuned.before.ndcg, tuned.after.ndcg
        return {
            "data": ["the database"],
            "arm": tuned.arm,
            "protocol": plan.protocol.name,
            "trials": len(tuned.trials) - 1,
            "began_with": dict(tuned.trials[0].parameters),
            "best": dict(tuned.best.parameters),
            "validation": {"before": tuned.trials[0].ndcg, "after": tuned.best.ndcg},
            "test": {
                "before": before and asdict(before),
                "after": after and asdict(after),
                "difference": tuned.difference and asdict(tuned.difference),
            },
        }

    def write_result(self, result: Mapping[str, Any]) -> None:
        validation, test = result["validation"], result["test"]
        self.stdout.write(f"{result['arm']}, {result['trials']} trials; {', '.join(result['data'])}.")
        self.stdout.write(f"best: {encode(result['best']).decode()}")
        self.stdout.write(
            f"nDCG on the validation slice: {validation['before']:.4f} before, "
            f"{validation['after']:.4f} after"
        )
        if test["difference"]:
            change = test["difference"]
            self.stdout.write(
                f"nDCG on what the search never saw: {test['before']['value']:.4f} before, "
                f"{test['after']['value']:.4f} after: {change['value']:+.4f} "
                f"({change['low']:+.4f} to {change['high']:+.4f})"
            )
        if result["saved"]:
            self.stdout.write(
                f"Saved in recipe {result['saved']}; to fit it: manage.py train --recipe {result['saved']}"
            )
