"""What the rows of pages ask of a policy's recipe, whatever its strategy."""

from apps.algorithms.strategy import Strategy
from apps.experiments.requirements import register_policy_check
from apps.recommendations.services.recommending import SURFACE_ARMS
from apps.training.servable import require_arms


def register() -> None:
    register_policy_check("surfaces", _check_surfaces)


def _check_surfaces(strategy: Strategy, recipe: str) -> None:
    # Their arms are none of the strategy's: another recipe, or a new version of it, is what helps.
    require_arms(recipe, set(SURFACE_ARMS.values()), pointer="/recipe", asker="a row of the pages")
