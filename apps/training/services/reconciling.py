"""What lower rooms are told of the versions that serve: they never ask."""

import hashlib
import json
from collections.abc import Mapping

from apps.algorithms.registry import ARMS, with_needs
from apps.algorithms.types import Parameters
from apps.bandits.services import note_arm_recipes
from apps.experiments.policy import current_policy
from apps.training.models import ModelVersion


def reconcile_bandits() -> list[int]:
    """Tells the bandit with what the arms of the serving recipe are fitted; the versions it began for it."""
    live = ModelVersion.objects.filter(
        recipe__name=current_policy().recipe, status=ModelVersion.Status.LIVE
    ).first()
    # A version fitted before parameters were kept says nothing of its arms.
    return note_arm_recipes(digests_of(live.parameters)) if live and live.parameters else []


def digests_of(parameters: Mapping[str, Parameters]) -> dict[str, str]:
    """SHA-256 of each arm's parameters, together with those of the arms that it is made of."""
    known = {name: values for name, values in parameters.items() if name in ARMS}
    return {
        name: _digest({part: known.get(part, {}) for part in with_needs([name], known)}) for name in known
    }


def _digest(value: Mapping[str, Parameters]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
