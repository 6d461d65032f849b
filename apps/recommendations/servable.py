"""What the rows of pages ask of a policy's recipe, whatever its strategy; and lists to look at before."""

from collections.abc import Sequence

from apps.accounts.models import User
from apps.algorithms.strategy import DEFAULT_ARM, Strategy
from apps.experiments.previews import PreviewedSlate, register_previewer
from apps.experiments.requirements import register_policy_check
from apps.recommendations.placing import FALLBACK_ARM
from apps.training.servable import require_arms


def register() -> None:
    register_policy_check("surfaces", _check_surfaces)
    register_previewer(_preview)


def _check_surfaces(strategy: Strategy, recipe: str) -> None:
    # Their arms are none of the strategy's: another recipe, or a new version of it, is what helps. The
    # default arm stands in for every other one.
    require_arms(recipe, {DEFAULT_ARM, FALLBACK_ARM}, pointer="/recipe", asker="a row of the pages")


def _preview(viewer: User, serving: Sequence[tuple[Strategy, str]], n: int) -> list[PreviewedSlate]:
    # Imported here: what makes lists is no part of what starts.
    from apps.recommendations.previewing import previewed

    return previewed(viewer, serving, n)
