"""What serves viewers, and the experiments on it."""

from apps.experiments.models.decisions import Decision
from apps.experiments.models.experiments import Experiment, Override, Phase, Variant
from apps.experiments.models.layers import Holdout, Layer
from apps.experiments.models.policy import ServingPolicy
from apps.experiments.models.results import LatencyDay, Rollup, Snapshot, UnitDay, UnitTotal

__all__ = [
    "Decision",
    "Experiment",
    "Holdout",
    "LatencyDay",
    "Layer",
    "Override",
    "Phase",
    "Rollup",
    "ServingPolicy",
    "Snapshot",
    "UnitDay",
    "UnitTotal",
    "Variant",
]
