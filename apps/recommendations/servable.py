"""What the rows of pages ask of a policy's recipe, whatever its strategy."""

from apps.algorithms.strategy import DEFAULT_ARM, Strategy
from apps.experiments.requirements import register_policy_check
from apps.recommendations.placing import FALLBACK_ARM
from apps.training.servable import require_arms


def register() -> None:
    register_policy_check("surfaces", _check_surfaces)


def _check_surfaces(strategy: Strategy, recipe: str) -> None:
    # Their arms are none of the strategy's: another recipe, or a new version of it, is what helps. The
    # default arm stands in for every other one.
    require_arms(recipe, {DEFAULT_ARM, FALLBACK_ARM}, pointer="/recipe", asker="a row of the pages")
