"""The first goal of an experiment by segment, and by days since exposure."""

from dataclasses import dataclass
from typing import Any

from django.http import StreamingHttpResponse

from apps.core.admin.sheets import Column, Sheet, count, figure, signed_share
from apps.experiments.admin.navigation import page_url
from apps.experiments.admin.results import row_of
from apps.experiments.comparing import compare, value_of
from apps.experiments.figures import Parts, by_age, by_segment
from apps.experiments.metrics import METRICS
from apps.experiments.models import Experiment, Phase
from apps.experiments.plans import Plan, readable_plan
from apps.experiments.reading import treatments_of
from apps.experiments.services.phases import last_phase

SEGMENT = (
    Column.text("Segment", "segment"),
    Column.text("Variant", "variant"),
    Column("Units", ("units",), count),
    Column("Control", ("control",), figure),
    Column("Treatment", ("treatment",), figure),
    Column("Difference", ("lift",), signed_share),
    Column("At any time", ("low", "high"), signed_share),
)
AGE = (
    Column("Days since exposure", ("age",), count),
    Column.text("Variant", "variant"),
    Column("Units", ("units",), count),
    Column("Value", ("value",), figure),
)


@dataclass(frozen=True)
class Segments:
    """``metric`` is the first goal's title; sheets are empty where nothing was counted."""

    metric: str = ""
    segments: Sheet | None = None
    ages: Sheet | None = None


def segments_page(experiment: Experiment) -> Segments:
    found = _last(experiment)
    if found is None:
        return Segments()
    phase, plan = found
    about = "Of many segments some differ by chance: a reason for another test, not for a decision."
    return Segments(
        metric=METRICS[plan.goals[0]].title,
        segments=Sheet(
            "By segment of the first list",
            SEGMENT,
            _segments(phase, plan),
            page_url("segments_csv", experiment.key),
            about,
        ),
        ages=Sheet(
            "By days since exposure",
            AGE,
            _ages(phase, plan),
            page_url("age_csv", experiment.key),
            "What each day alone brought, of the units that came back: an effect that fades is novelty.",
        ),
    )


def age_csv(experiment: Experiment) -> StreamingHttpResponse:
    found = _last(experiment)
    rows = _ages(*found) if found else []
    return Sheet("Ages", AGE, rows, "").as_csv(f"experiment-{experiment.key}-ages")


def segments_csv(experiment: Experiment) -> StreamingHttpResponse:
    found = _last(experiment)
    rows = _segments(*found) if found else []
    return Sheet("Segments", SEGMENT, rows, "").as_csv(f"experiment-{experiment.key}-segments")


def _last(experiment: Experiment) -> tuple[Phase, Plan] | None:
    """The last phase, and its plan; None where there is none that can be read."""
    phase = last_phase(experiment)
    plan = None if phase is None else readable_plan(phase)
    return None if phase is None or plan is None else (phase, plan)


def _segments(phase: Phase, plan: Plan) -> list[dict[str, Any]]:
    metric = METRICS[plan.goals[0]]
    rows = []
    for segment, metrics in sorted(by_segment(phase).items()):
        held = metrics.get(metric.name, {})
        for variant in treatments_of(plan):
            one, two = held.get(plan.control.name), held.get(variant)
            if one is not None and two is not None:
                rows.append(_segment(segment, variant, plan, one, two))
    return rows


def _segment(segment: str, variant: str, plan: Plan, one: Parts, two: Parts) -> dict[str, Any]:
    alpha = plan.alpha / len(treatments_of(plan))
    found = compare(METRICS[plan.goals[0]], variant, one, two, alpha=alpha)
    return row_of(found, "") | {"segment": segment or "unknown", "units": one[0] + two[0]}


def _ages(phase: Phase, plan: Plan) -> list[dict[str, Any]]:
    metric = METRICS[plan.goals[0]]
    return [
        {"age": age, "variant": variant, "units": parts[0], "value": value_of(metric, parts)}
        for age, variants in sorted(by_age(phase, metric.name).items())
        for variant, parts in sorted(variants.items())
    ]
