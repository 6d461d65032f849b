"""Training for staff: recipes, runs, versions and the log."""

from apps.training.admin.back_tests import BackTestAdmin
from apps.training.admin.recipes import RecipeAdmin
from apps.training.admin.rollouts import RolloutAdmin
from apps.training.admin.runs import ModelUpdateLogAdmin, TrainingRunAdmin
from apps.training.admin.versions import ModelVersionAdmin

__all__ = [
    "BackTestAdmin",
    "ModelUpdateLogAdmin",
    "ModelVersionAdmin",
    "RecipeAdmin",
    "RolloutAdmin",
    "TrainingRunAdmin",
]
