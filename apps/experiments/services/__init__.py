"""Assigning units, changing what serves everybody, and leading experiments through their lives."""

from apps.experiments.assigning import Attributes
from apps.experiments.services.assignment import Assignment, Other, assign, placements_of
from apps.experiments.services.policy import change_policy, check_policy

__all__ = [
    "Assignment",
    "Attributes",
    "Other",
    "assign",
    "change_policy",
    "check_policy",
    "placements_of",
]
