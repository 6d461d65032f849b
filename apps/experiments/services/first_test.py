"""The test that a new site begins with: what a bandit draws against the hybrid."""

from dataclasses import dataclass

from django.db import transaction

from apps.algorithms.registry import ARMS
from apps.algorithms.strategy import parse_strategy
from apps.core.errors import Conflict
from apps.core.services import Actor
from apps.experiments.models import Experiment
from apps.experiments.policy import DEFAULT_STRATEGY
from apps.experiments.services.designing import Design, VariantDesign, create_experiment
from apps.experiments.services.life import start

FIRST_KEY = "bandit-vs-hybrid"


@dataclass(frozen=True)
class Deployed:
    """``refusal`` is why it did not start, where that was asked for."""

    experiment: Experiment
    is_created: bool
    is_started: bool
    refusal: str = ""


def first_design() -> Design:
    """Half and half, a fifth of all units on the first day, and everybody from then on."""
    bandit = parse_strategy({"policy": "bandit"}, ARMS)
    hybrid = parse_strategy(DEFAULT_STRATEGY, ARMS)
    return Design(
        key=FIRST_KEY,
        name="Bandit against hybrid",
        layer="strategy",
        hypothesis="Lists whose arms a bandit draws by what it learned are clicked more than the hybrid's.",
        variants=(
            VariantDesign("control", 0.5, is_control=True, strategy=hybrid.to_json()),
            VariantDesign("treatment", 0.5, strategy=bandit.to_json()),
        ),
        goals=("ctr", "success_rate"),
        horizon_days=28,
        ramp=({"coverage": 0.2, "hours": 24}, {"coverage": 1.0}),
    )


def deploy_first_test(*, by: Actor | None, begin: bool = False, reason: str = "") -> Deployed:
    """The experiment, made as a draft unless it is there; with ``begin`` a draft is started.

    One that is there stays as it is, whatever somebody made of it. What the checklist refuses leaves the
    draft.
    """
    experiment, is_created = _draft(by)
    if not begin or experiment.state != Experiment.State.DRAFT:
        return Deployed(experiment, is_created, is_started=False)
    try:
        started = start(key=FIRST_KEY, by=by, reason=reason, expected_version=experiment.version)
    except Conflict as refusal:
        return Deployed(experiment, is_created, is_started=False, refusal=refusal.detail)
    return Deployed(started, is_created, is_started=True)


def _draft(by: Actor | None) -> tuple[Experiment, bool]:
    with transaction.atomic():
        found = Experiment.objects.filter(pk=FIRST_KEY).first()
        return (found, False) if found else (create_experiment(design=first_design(), by=by), True)
