"""Back-tests for staff: a changed recipe beside the one that served."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from apps.core.admin import Link, ReadOnlyAdmin, may_see, row_url
from apps.core.admin.columns import column
from apps.core.admin.sheets import Column, Sheet, figure
from apps.training.gate import read_checks
from apps.training.models import BackTest, ModelVersion, TrainingRun

PASSED, FAILED, OVERRIDDEN = "passed", "failed", "overridden"
_MEASURES = (
    ("ndcg", "nDCG"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("coverage", "coverage"),
    ("gini", "Gini"),
    ("novelty", "novelty, bits"),
    ("intra_list_diversity", "intra-list diversity"),
    ("serendipity", "serendipity"),
    ("tail_share", "share outside the head"),
)
_ERRORS = (("rmse", "RMSE, stars"), ("mae", "MAE, stars"))


@admin.register(BackTest)
class BackTestAdmin(ReadOnlyAdmin):
    group, icon, rank = "Training", "fact_check", 2
    about = (
        "A recipe that serves nobody beside the one that serves: both fitted on what was rated before a"
        " moment, and measured on what was rated since."
    )
    empty = "The first fit of a recipe that serves nobody makes a row."
    list_display = ["created_at", "recipe", "against", "verdict", "n_people", "ndcg", "served_ndcg", "change"]
    list_filter = ["passed", "recipe"]
    list_select_related = ["recipe"]
    search_fields = ["recipe__name", "against"]
    change_form_outer_before_template = "training/back_test.html"
    # Above the others, as tables.
    exclude = ["checks", "metrics"]
    explanations = {
        "parameters": "As they were tested. Other ones need a test of their own.",
        "cut_at": "Where the newest fifth of all ratings began.",
        "n_train": "Ratings, and what else the recipe learns from, before that moment.",
        "n_test": "Ratings since that were to be found or predicted.",
        "n_people": "Whose lists were measured. Of people who came since, the older half of their ratings is"
        " told.",
        "overridden_because": "Why staff let the recipe serve although it failed.",
    }

    @column("Verdict", label={PASSED: "success", FAILED: "danger", OVERRIDDEN: "warning"})
    def verdict(self, test: BackTest) -> str:
        return verdict_of(test)

    @column("nDCG")
    def ndcg(self, test: BackTest) -> str:
        return _told(test.metrics.get("recipe"), "ndcg")

    @column("nDCG of what served")
    def served_ndcg(self, test: BackTest) -> str:
        return _told(test.metrics.get("against"), "ndcg")

    @column("Difference, 95 % interval")
    def change(self, test: BackTest) -> str:
        return difference_of(test) or "–"

    def links_of(self, request: HttpRequest, row: BackTest) -> Sequence[Link]:
        made = ModelVersion.objects.filter(run=row.run_id).first() if row.run_id else None
        links = [*super().links_of(request, row)]
        if row.run_id and may_see(request, TrainingRun):
            links.append(Link("The run", row_url(TrainingRun, row.run_id), "model_training"))
        if made and may_see(request, ModelVersion):
            links.append(Link("The version", row_url(ModelVersion, made.pk), "deployed_code"))
        return links

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        test = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if test is not None:
            context |= {
                "checks": read_checks(test.checks),
                "verdict": verdict_of(test),
                "difference": difference_of(test),
                "figures": _figures(test) if test.metrics else None,
            }
        answer: HttpResponse = super().change_view(request, object_id, form_url, context)
        return answer


def verdict_of(test: BackTest) -> str:
    if test.passed:
        return PASSED
    return OVERRIDDEN if test.allows else FAILED


def difference_of(test: BackTest) -> str:
    """In nDCG, with its interval; empty where nobody was measured."""
    found = test.metrics.get("ndcg_difference")
    return f"{found['value']:+.4f} ({found['low']:+.4f} to {found['high']:+.4f})" if found else ""


def _figures(test: BackTest) -> Sheet:
    columns = (
        Column.text("Measure", "measure"),
        Column(str(test.recipe), ("recipe",), figure),
        Column(test.against, ("against",), figure),
        Column("popularity", ("popularity",), figure),
    )
    about = f"Lists of {test.metrics['k']}. Means over people, or over all lists."
    parts = ("recipe", "against", "popularity")
    rows = [
        {"measure": title, **{part: _value(test.metrics[part].get(name)) for part in parts}}
        for name, title in _MEASURES
    ]
    rows += [
        {"measure": title, **{part: _value(test.metrics[part]["predictions"][name]) for part in parts[:2]}}
        for name, title in _ERRORS
    ]
    return Sheet("All that was measured", columns, rows, "", about)


def _told(figures: Mapping[str, Any] | None, name: str) -> str:
    value = _value(figures.get(name)) if figures else None
    return "–" if value is None else f"{value:.4f}"


def _value(found: Any) -> float | None:
    """Of a mean or of a number."""
    value: float | None = found["value"] if isinstance(found, Mapping) else found
    return value
