"""What experiments are judged by: the sums that are kept of each unit, and the metrics made of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

SUMS = (
    "lists",
    "degraded",
    "empty",
    "shown",
    "clicks",
    "successes",
    "rated",
    "clicked_rated",
    "clicked_stars",
    "watchlisted",
    "dismissed",
    "long_tail",
    "niche",
    "measured",
    "novelty",
    "genres",
)
"""Of one unit's counted lists: ``lists``, of these ``degraded`` ones and ``empty`` ones; films ``shown`` and
what was said of them; ``clicked_rated`` films that were clicked and rated, and their ``clicked_stars``;
``measured`` lists whose ``novelty`` and ``genres`` are known, and the sums of both."""

OF_LISTS = frozenset(("lists", "degraded", "empty", "shown", "long_tail", "niche", "novelty", "genres"))
"""Of these sums what a list is made of."""

Shape = Literal["ratio", "mean", "binary", "latency"]


@dataclass(frozen=True)
class Metric:
    """``shape`` says how it is tested, the unit being the unit of analysis:

    ratio
        ``over`` per ``under``, both sums of the unit, by the delta method.
    mean
        ``over`` per unit, by Welch.
    binary
        Whether ``over`` is above 0, by chi-square.
    latency
        A quantile of the time that lists took.

    ``sign`` is 1 where more is better, -1 where less is. ``absolute`` margins and effects are differences, of
    a rate that is 0 on most sites; others are relative. ``least`` is the difference that a guardrail takes
    for none, in the metric's own unit.
    """

    name: str
    title: str
    about: str
    shape: Shape
    over: str
    under: str = ""
    sign: int = 1
    absolute: bool = False
    margin: float = 0.15
    least: float = 0.0

    @property
    def is_of_lists(self) -> bool:
        """Whether it is known with the list itself, and waits for nobody to say anything."""
        return self.shape == "latency" or self.over in OF_LISTS


_ALL = (
    Metric("ctr", "CTR", "Clicks per film shown", "ratio", "clicks", "shown"),
    Metric(
        "success_rate",
        "Success",
        "Films clicked, liked or kept, and not disliked, per film shown",
        "ratio",
        "successes",
        "shown",
    ),
    Metric("clicked_units", "Units that click", "Share of units with a click", "binary", "clicks"),
    Metric("clicks_per_unit", "Clicks per unit", "Clicks of a unit in all", "mean", "clicks"),
    Metric("ratings_per_unit", "Ratings per unit", "Films shown that the unit rated", "mean", "rated"),
    Metric("lists_per_unit", "Lists per unit", "Lists that the unit came back for", "mean", "lists"),
    Metric(
        "clicked_rating",
        "Mean rating of clicked",
        "Stars of films that were clicked and rated",
        "ratio",
        "clicked_stars",
        "clicked_rated",
    ),
    Metric(
        "watchlist_rate", "Watchlist", "Films kept for later per film shown", "ratio", "watchlisted", "shown"
    ),
    Metric(
        "dismiss_rate", "Dismissed", "Films dismissed per film shown", "ratio", "dismissed", "shown", sign=-1
    ),
    Metric("long_tail_rate", "Long tail", "Share of films shown", "ratio", "long_tail", "shown"),
    Metric("niche_rate", "Niche", "Share of films shown", "ratio", "niche", "shown"),
    Metric("novelty", "Novelty", "Bits of a film beside the most rated one", "ratio", "novelty", "measured"),
    Metric("genres_per_list", "Diversity", "Primary genres of a list", "ratio", "genres", "measured"),
    Metric(
        "fallback_rate",
        "Fallback",
        "Lists of popular films in place of a strategy that failed",
        "ratio",
        "degraded",
        "lists",
        sign=-1,
        absolute=True,
        margin=0.01,
    ),
    Metric(
        "empty_rate",
        "Empty lists",
        "Lists without a film",
        "ratio",
        "empty",
        "lists",
        sign=-1,
        absolute=True,
        margin=0.01,
    ),
    Metric(
        "latency_p95",
        "Latency p95",
        "Milliseconds that a list takes, of 95 %",
        "latency",
        "",
        sign=-1,
        least=50.0,
    ),
)

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _ALL}
GOALS = tuple(metric.name for metric in _ALL if metric.shape != "latency" and not metric.absolute)
GUARDRAILS = (
    "ctr",
    "clicked_rating",
    "long_tail_rate",
    "novelty",
    "genres_per_list",
    "latency_p95",
    "fallback_rate",
    "empty_rate",
)
"""What is watched unless staff choose otherwise."""


def default_guardrails() -> dict[str, float]:
    """The margin of each: how much worse, relative or as ``Metric.absolute`` has it, is too much."""
    return {name: METRICS[name].margin for name in GUARDRAILS}
