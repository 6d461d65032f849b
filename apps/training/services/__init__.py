"""Fitting recipes and putting the versions to work."""

from apps.training.services.recipes import ensure_standard_recipe
from apps.training.services.runs import abandon_stale_runs, request_run
from apps.training.services.starting import fit_requested, start_retrain, sweep_runs
from apps.training.services.training import train
from apps.training.services.versions import activate

__all__ = [
    "abandon_stale_runs",
    "activate",
    "ensure_standard_recipe",
    "fit_requested",
    "request_run",
    "start_retrain",
    "sweep_runs",
    "train",
]
