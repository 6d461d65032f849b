"""An evaluation as JSON, and as tables that a document can hold."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from apps.algorithms.evaluation import MEANS, Report
from apps.training.services.evaluating import Evaluation, measured_name

OVER_LISTS = ("coverage", "gini", "personalization")
_ACCURACY = (
    "ndcg",
    "recall",
    "recall_at_2k",
    "precision",
    "average_precision",
    "reciprocal_rank",
    "hit_rate",
)
_VARIETY = (
    "coverage",
    "gini",
    "personalization",
    "intra_list_diversity",
    "primary_genres",
    "novelty",
    "popularity_rank",
    "tail_share",
    "long_tail_share",
    "niche_share",
    "serendipity",
)


def evaluation_as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Measures by arm, each ``{value, error}`` or, over all lists, a number; null where there is none."""
    plan = evaluation.plan
    return {
        "data": ["the database"],
        "n_users": evaluation.n_users,
        "n_films": evaluation.n_films,
        "n_ratings": evaluation.n_ratings,
        "protocol": plan.protocol.name,
        "test_share": plan.test_share,
        "relevant": "any" if plan.relevant is None else plan.relevant,
        "k": plan.k,
        "seed": plan.seed,
        "arms": {
            name: {
                "arm": arm,
                "diversity": diversity,
                **measures_as_json(evaluation.reports[name]),
                "seconds": round(evaluation.seconds[name], 2),
            }
            for arm in plan.arms
            for diversity in plan.diversities
            for name in [measured_name(arm, diversity)]
        },
        "best": evaluation.best,
        "differences": {
            name: difference and asdict(difference) for name, difference in evaluation.differences.items()
        },
        "prices": {name: price and asdict(price) for name, price in evaluation.prices.items()},
        "predictions": asdict(evaluation.predictions),
    }


def evaluation_tables(result: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a result of ``evaluation_as_json``, as Markdown."""
    relevant = "any rating" if result["relevant"] == "any" else f"{result['relevant']:g} stars or more"
    yield (
        f"{', '.join(result['data'])}: {result['n_ratings']:,} ratings of {result['n_films']:,} films by "
        f"{result['n_users']:,} people. Held back: {result['protocol']}, {result['test_share']:.0%}; to be "
        f"found: {relevant}; lists of {result['k']}; seed {result['seed']}."
    )
    arms: Mapping[str, Any] = result["arms"]
    yield from ("", *_table(("arm", *_ACCURACY, f"nDCG less {result['best']}'s"), _accuracy_rows(result)))
    rows = [[name, *(_cell(arm.get(measure)) for measure in _VARIETY)] for name, arm in arms.items()]
    yield from ("", *_table(("arm", *_VARIETY), rows))
    predictions = result["predictions"]
    yield ""
    yield (
        f"Predicted ratings: RMSE {_cell(predictions['rmse'])}, MAE {_cell(predictions['mae'])} over "
        f"{predictions['n']:,} ratings."
    )


def measures_as_json(one: Report) -> dict[str, Any]:
    """All of a report: means as ``{value, error}``, the others as numbers."""
    means = {name: mean and asdict(mean) for name in MEANS for mean in [getattr(one, name)]}
    over_lists = {name: getattr(one, name) for name in OVER_LISTS}
    return {"n_users": one.n_users, "n_seen": one.n_seen, **means, **over_lists}


def _accuracy_rows(result: Mapping[str, Any]) -> Iterator[list[str]]:
    for name, arm in result["arms"].items():
        difference = result["differences"].get(name)
        against = ""
        if difference:
            against = f"{difference['value']:+.4f} ({difference['low']:+.4f} to {difference['high']:+.4f})"
        yield [name, *(_cell(arm[measure]) for measure in _ACCURACY), against]


def _cell(value: Any) -> str:
    """A number, with its standard error if it has one."""
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        error = value["error"]
        return _number(value["value"]) + (f" ± {_number(error)}" if error is not None else "")
    return _number(value)


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.1f}"


def _table(header: Sequence[str], rows: Iterator[list[str]] | Sequence[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(name.replace('_', ' ') for name in header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
