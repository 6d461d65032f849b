"""Steering what serves: the policy, and the experiments on it."""

from apps.experiments.admin.experiments import ExperimentAdmin
from apps.experiments.admin.ledger import DecisionAdmin, HoldoutAdmin, OverrideAdmin
from apps.experiments.admin.policy import ServingPolicyAdmin

__all__ = ["DecisionAdmin", "ExperimentAdmin", "HoldoutAdmin", "OverrideAdmin", "ServingPolicyAdmin"]
