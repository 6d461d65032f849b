"""Drift, for staff: day by day, with the bins of each figure."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string

from apps.algorithms.registry import ARMS
from apps.algorithms.statistics import DRIFTED
from apps.core.admin import DayRangeFilter, ReadOnlyAdmin, known_values
from apps.core.admin.columns import column
from apps.core.admin.sheets import Column, Sheet, share
from apps.core.charts import Chart, Series, day_chart
from apps.experiments.policy import current_policy
from apps.monitoring.drift.served import SCORES
from apps.monitoring.models import DriftDay
from apps.monitoring.services import WINDOW_DAYS, first_day

CHART_DAYS = 30
CHARTED = ("ratings", "scores", "rated_genres", "shown_genres")
TITLES = {
    "ratings": "Ratings: stars",
    "rated_genres": "Ratings: primary genres",
    "rated_decades": "Ratings: decades",
    "rated_long_tail": "Ratings: long tail",
    "rated_niche": "Ratings: niche",
    "scores": "Scores: all arms",
    "shown_genres": "Shown: primary genres",
    "shown_long_tail": "Shown: long tail",
    "shown_niche": "Shown: niche",
    **{f"{SCORES}_{name}": f"Scores: {name}" for name, arm in ARMS.items() if arm.personal},
}
_LEAST_TOP, _MOST_TOP = 1.25 * DRIFTED, 1.0
"""Of the chart: beyond these the level that counts would be out of sight, or level with the foot."""
_BINS = (
    Column.text("Bin", "bin"),
    Column("Training", ("training",), share),
    Column("Now", ("now",), share),
)


@admin.register(DriftDay)
class DriftDayAdmin(ReadOnlyAdmin):
    group, icon, rank = "Training", "trending_down", 3
    about = (
        "How far what viewers rate and are shown has moved from what the model was trained on. PSI is 0 where"
        f" nothing moved; {DRIFTED:g} above that is drift. A day is read with the {WINDOW_DAYS - 1} before,"
        " against the version that was there before them."
    )
    empty = (
        "Each night the day before is worked out, once the recipe that serves has a version: train one under"
        " Training runs."
    )
    counted = "figure", "figures"
    explanations = {
        "day": "Of UTC; the last of the days that count as now.",
        "version": "What was trained before those days.",
        "psi": "Empty where there is nothing to compare.",
        "on_nothing": f"The mean PSI of so few where nothing moved. Drift is {DRIFTED:g} above it.",
        "by_chance": "What it then exceeds once in 1,000 times.",
        "status": (
            f"Too few: chance alone may exceed {DRIFTED:g}. Training side unknown: the version was fitted"
            " before this was kept, or no list was shown before it; a week of nightly fits mends both."
        ),
        "n_training": "Ratings that the version was trained on; for scores and what is shown, viewers.",
        "n_now": "The same of now. A viewer counts once for each arm.",
    }
    list_before_template = "monitoring/drift.html"
    list_display = ["day", "recipe", "title", "figure", "state", "in_training", "counted_now", "version"]
    list_display_links = ["title"]
    list_filter = [
        ("day", DayRangeFilter),
        known_values("subject", TITLES.items(), title="what"),
        known_values("status", DriftDay.Status.choices, title="status"),
        "recipe",
    ]
    list_filter_submit = True
    fields = [
        "day",
        "recipe",
        "version",
        "title",
        "psi",
        "on_nothing",
        "by_chance",
        "status",
        "n_training",
        "n_now",
        "shares",
        "computed_at",
    ]
    readonly_fields = ["title", "shares"]

    @column("What", ordering="subject")
    def title(self, row: DriftDay) -> str:
        return TITLES.get(row.subject, row.subject)

    @column("PSI", ordering="psi")
    def figure(self, row: DriftDay) -> str:
        return "–" if row.psi is None else f"{row.psi:.3f}"

    @column("Counted in training", ordering="n_training")
    def in_training(self, row: DriftDay) -> str:
        return f"{row.n_training:,}"

    @column("Counted now", ordering="n_now")
    def counted_now(self, row: DriftDay) -> str:
        return f"{row.n_now:,}"

    @column("State", label={"drifted": "danger", "steady": "success"})
    def state(self, row: DriftDay) -> str:
        if row.status != DriftDay.Status.OK:
            return str(row.get_status_display()).lower()
        return "drifted" if row.has_drifted else "steady"

    @column("Bins")
    def shares(self, row: DriftDay) -> str:
        sheet = Sheet("Shares by bin", _BINS, row.bins, csv_url="")
        return render_to_string("core/sheet.html", {"sheet": sheet, "name": "bins"})

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        if not found.result_count:
            found.empty = _awaited(current_policy().recipe)
        return found

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        recipe = current_policy().recipe
        context = {"chart": drift_chart(recipe), "recipe": recipe}
        return super().changelist_view(request, {**(extra_context or {}), **context})


def _awaited(recipe: str) -> str:
    """Which day comes first, of a recipe that has a version."""
    day = first_day(recipe)
    if day is None:
        return ""
    return (
        f"The first day that can be compared of recipe {recipe!r}, which serves, is {day}, of UTC: its first"
        " version was trained then. Each day is worked out in the night after it."
    )


def drift_chart(recipe: str) -> Chart | None:
    """The excess of ``CHARTED`` over the last ``CHART_DAYS`` days; None without any. One query."""
    rows = DriftDay.objects.of(recipe).filter(subject__in=CHARTED).order_by("-day")
    found = {(row.day, row.subject): row for row in rows.defer("bins")[: CHART_DAYS * len(CHARTED)]}
    if not found:
        return None
    last = max(day for day, _ in found)
    days = [last - timedelta(days=ago) for ago in range(CHART_DAYS - 1, -1, -1)]
    known = [_value(row) for row in found.values()]
    highest = max([_LEAST_TOP, *(1.25 * value for value in known if value is not None)])
    top = min(highest, _MOST_TOP)
    return day_chart(days, [_series(subject, days, found, top) for subject in CHARTED], top=top)


def _series(
    subject: str, days: Sequence[date], found: dict[tuple[date, str], DriftDay], top: float
) -> Series:
    values = [_value(found.get((day, subject))) for day in days]
    last = "no figure yet" if values[-1] is None else f"{values[-1]:.2f}"
    return Series(TITLES[subject], values, f"{last}; up to {top:.2f}", level=DRIFTED)


def _value(row: DriftDay | None) -> float | None:
    return None if row is None else row.excess
