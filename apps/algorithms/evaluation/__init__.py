"""How good lists and predicted ratings are, measured on ratings held back.

Full ranking: every film that anybody rated in the training part is a candidate, less those that the
viewer rated there.
"""

from apps.algorithms.base import Recommender
from apps.algorithms.evaluation.comparing import Difference, compare
from apps.algorithms.evaluation.facts import FilmFacts, film_facts
from apps.algorithms.evaluation.lists import ArmLists, ListMaker, RerankedLists
from apps.algorithms.evaluation.measuring import Measured, measure, ndcg_by_viewer, relevant_films
from apps.algorithms.evaluation.predicting import (
    Accuracy,
    accuracy,
    compare_predictions,
    prediction_errors,
)
from apps.algorithms.evaluation.protocols import PROTOCOLS, Protocol, folds_of
from apps.algorithms.evaluation.reports import MEANS, Mean, Report, report
from apps.algorithms.types import LIKED_FROM, Interactions

__all__ = [
    "MEANS",
    "PROTOCOLS",
    "Accuracy",
    "ArmLists",
    "Difference",
    "FilmFacts",
    "ListMaker",
    "Mean",
    "Measured",
    "Protocol",
    "Report",
    "RerankedLists",
    "accuracy",
    "compare",
    "compare_predictions",
    "evaluate",
    "film_facts",
    "folds_of",
    "measure",
    "ndcg_by_viewer",
    "prediction_errors",
    "relevant_films",
    "report",
]


def evaluate(
    model: Recommender,
    train: Interactions,
    test: Interactions,
    k: int = 10,
    relevant: float | None = LIKED_FROM,
) -> Report:
    """Measure a fitted ``model``, which has seen nothing but ``train``, on ``test``; see ``measure``."""
    return report([measure(ArmLists(model), train, test, film_facts(train), k=k, relevant=relevant)])
