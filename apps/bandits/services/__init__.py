"""Counting, checking and versions of the bandit."""

from apps.bandits.services.changes import note_arm_recipes
from apps.bandits.services.checking import Check, Difference, check, check_all, rebuild
from apps.bandits.services.counting import count_outcome, count_slates, is_counted
from apps.bandits.services.judging import Judgement, judge, latest_version, policy_names
from apps.bandits.services.versions import (
    Terms,
    begin_version,
    current_bandit,
    ensure_policy,
    freeze,
    renew_landmarks,
    resume,
)

__all__ = [
    "Check",
    "Difference",
    "Judgement",
    "Terms",
    "begin_version",
    "check",
    "check_all",
    "count_outcome",
    "count_slates",
    "current_bandit",
    "ensure_policy",
    "freeze",
    "is_counted",
    "judge",
    "latest_version",
    "note_arm_recipes",
    "policy_names",
    "rebuild",
    "renew_landmarks",
    "resume",
]
