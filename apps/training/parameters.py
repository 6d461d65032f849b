"""What a recipe may say: parameters by the arm's name, those of the rating predictor, and what it learns
from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from apps.algorithms.base import InvalidParameter
from apps.algorithms.prediction import RatingPredictor
from apps.algorithms.registry import make_arm
from apps.algorithms.types import Parameters
from apps.core.errors import InvalidInput
from apps.core.json import decode
from apps.training.data import DataParameters, read_data

PREDICTOR = "predictor"
DATA = "data"


class RecipeParameters(NamedTuple):
    """``arms`` are the arms' parameters by name."""

    arms: Mapping[str, Parameters]
    predictor: Parameters
    data: DataParameters


def read_parameters(file: str) -> dict[str, Any]:
    """The parameters in a JSON file. Raises ``InvalidInput``."""
    try:
        found = decode(Path(file).read_bytes(), name=file)
    except OSError as error:
        raise InvalidInput(f"Cannot read {file}: {error.strerror}") from None
    try:
        check_parameters(found)
    except InvalidParameter as error:
        raise InvalidInput(f"{file}: {error}") from error
    return dict(found)


def check_parameters(parameters: Any) -> None:
    """Raises ``InvalidParameter`` naming the arm or parameter that is wrong and what would be right."""
    parts = split_parameters(parameters)
    for name, given in parts.arms.items():
        make_arm(name, given)
    RatingPredictor(**parts.predictor)


def split_parameters(parameters: Any) -> RecipeParameters:
    """Raises ``InvalidParameter``; what the arms and the predictor are given is checked as they are made."""
    if not isinstance(parameters, dict):
        raise InvalidParameter("A recipe's parameters are an object: parameters by the arm's name.")
    for name, given in parameters.items():
        if not isinstance(given, dict):
            raise InvalidParameter(f"{name}: its parameters are an object, not {given!r}.")
    arms = {name: given for name, given in parameters.items() if name not in (PREDICTOR, DATA)}
    return RecipeParameters(arms, parameters.get(PREDICTOR, {}), read_data(parameters.get(DATA, {})))
