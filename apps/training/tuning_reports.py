"""A tuning as JSON and as lines of text."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from apps.algorithms.evaluation import Difference, Mean
from apps.core.json import encode
from apps.training.parameters import PREDICTOR
from apps.training.services.searching import Searched
from apps.training.services.tuning import Tuning

_GROWS = {"measured": "measured", "fitted": "fitted on", "nothing": "measured"}


def tuning_as_json(tuning: Tuning) -> dict[str, Any]:
    """By the name of the arm, and of the predictor, whose ``measure`` is the RMSE."""
    found = {
        one.searched.name: {
            **_searched(one.searched, "ndcg"),
            "test": _test(one.before.ndcg, one.after.ndcg, one.difference),
        }
        for one in tuning.arms
    }
    predictor = tuning.predictor
    if predictor:
        found[PREDICTOR] = {
            **_searched(predictor.searched, "rmse"),
            "test": _test(predictor.before.rmse, predictor.after.rmse, predictor.difference),
        }
    return {
        "data": ["the database"],
        "protocol": tuning.plan.protocol.name,
        "relevant": tuning.plan.relevant,
        "k": tuning.plan.k,
        "seed": tuning.plan.seed,
        "n_ratings": tuning.n_ratings,
        "tuned": found,
    }


def tuning_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """For a person, from ``tuning_as_json``."""
    yield f"{', '.join(result['data'])}; protocol {result['protocol']}, k {result['k']}"
    for name, one in result["tuned"].items():
        rungs = ", then ".join(f"{rung['n_configurations']} on {rung['n_people']}" for rung in one["rungs"])
        yield ""
        yield f"{name}: {rungs} people {_GROWS[one['grows']]}, {one['seconds']:.0f} s"
        yield f"best: {encode(one['best']).decode()}"
        measure = {"ndcg": "nDCG", "rmse": "RMSE"}[one["measure"]]
        slice_, test = one["validation"], one["test"]
        yield f"{measure} on the validation slice: {slice_['before']:.4f} before, {slice_['after']:.4f} after"
        if test["difference"]:
            change = test["difference"]
            yield (
                f"{measure} on what the search never saw: {test['before']['value']:.4f} before, "
                f"{test['after']['value']:.4f} after: {change['value']:+.4f} "
                f"({change['low']:+.4f} to {change['high']:+.4f})"
            )


def _searched(one: Searched, measure: str) -> dict[str, Any]:
    sign = -1 if measure == "rmse" else 1
    return {
        "measure": measure,
        "trials": len(one.trials) - 1,
        "grows": one.grows,
        "rungs": [asdict(rung) for rung in one.rungs],
        "seconds": round(one.seconds, 1),
        "began_with": dict(one.trials[0].configuration),
        "best": dict(one.best.configuration),
        "validation": {"before": sign * one.trials[0].values[-1], "after": sign * one.best.values[-1]},
    }


def _test(before: Mean | None, after: Mean | None, difference: Difference | None) -> dict[str, Any]:
    return {
        "before": before and asdict(before),
        "after": after and asdict(after),
        "difference": difference and asdict(difference),
    }
