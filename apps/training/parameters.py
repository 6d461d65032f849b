"""What a recipe may say: parameters by the arm's name, and those of the rating predictor."""

from collections.abc import Mapping
from typing import Any

from apps.algorithms.base import InvalidParameter
from apps.algorithms.prediction import RatingPredictor
from apps.algorithms.registry import make_arm
from apps.algorithms.types import Parameters

PREDICTOR = "predictor"


def check_parameters(parameters: Any) -> None:
    """Raises ``InvalidParameter`` naming the arm or parameter that is wrong and what would be right."""
    arms, predictor = split_parameters(parameters)
    for name, given in arms.items():
        make_arm(name, given)
    RatingPredictor(**predictor)


def split_parameters(parameters: Any) -> tuple[Mapping[str, Parameters], Parameters]:
    """The arms' parameters by name, and the predictor's. Raises ``InvalidParameter``."""
    if not isinstance(parameters, dict):
        raise InvalidParameter("A recipe's parameters are an object: parameters by the arm's name.")
    for name, given in parameters.items():
        if not isinstance(given, dict):
            raise InvalidParameter(f"{name}: its parameters are an object, not {given!r}.")
    arms = {name: given for name, given in parameters.items() if name != PREDICTOR}
    return arms, parameters.get(PREDICTOR, {})
