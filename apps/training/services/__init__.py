"""Fitting recipes and putting the versions to work."""

from apps.training.services.cleaning import clean_up
from apps.training.services.following import reconcile_rollouts
from apps.training.services.holding import let_go
from apps.training.services.overriding import override_refusal
from apps.training.services.recipes import (
    delete_recipe,
    ensure_standard_recipe,
    require_removable,
)
from apps.training.services.reconciling import reconcile_bandits
from apps.training.services.runs import abandon_stale_runs, request_run
from apps.training.services.starting import fit_requested, start_run, sweep_runs
from apps.training.services.training import VersionRefused, train
from apps.training.services.updating import fit_tonight, forget_the_departed, request_if_due, update_due
from apps.training.services.versions import activate, go_back, pin

__all__ = [
    "VersionRefused",
    "abandon_stale_runs",
    "activate",
    "clean_up",
    "delete_recipe",
    "ensure_standard_recipe",
    "fit_requested",
    "fit_tonight",
    "forget_the_departed",
    "go_back",
    "let_go",
    "override_refusal",
    "pin",
    "reconcile_bandits",
    "reconcile_rollouts",
    "request_if_due",
    "request_run",
    "require_removable",
    "start_run",
    "sweep_runs",
    "train",
    "update_due",
]
