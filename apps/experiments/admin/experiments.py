"""The table of experiments, and the pages of each."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core.admin import ExplainedAdmin
from apps.core.admin.columns import column
from apps.core.errors import NotFound
from apps.experiments.admin.acts import act_view, acts_of
from apps.experiments.admin.debugging import debug_page, override_view
from apps.experiments.admin.designing import design_view
from apps.experiments.admin.navigation import ADD, VIEW, navigation
from apps.experiments.admin.results import days_csv, goals_csv, overview_page
from apps.experiments.admin.slicing import age_csv, segments_csv, segments_page
from apps.experiments.models import Decision, Experiment, Phase
from apps.experiments.plans import day_of_horizon

STATES = {"Running": "success", "Paused": "warning", "Rolled back": "danger"}
PHASE = re.compile(r"[0-9]{1,6}")
HELD, NOTHING_SEEN = "Ramp is held", "No data"
HEALTH = {"unhealthy": "Trust nothing yet", "roll_back": "Does harm"}

HEALTH_LABELS = {"fine": "success", HELD: "warning", NOTHING_SEEN: "warning"}
HEALTH_LABELS |= dict.fromkeys(HEALTH.values(), "danger")


@admin.register(Experiment)
class ExperimentAdmin(ExplainedAdmin):
    group, icon, rank = "Experiments", "science", 0
    about = (
        "Tests of what serves viewers. Each unit, a viewer or a guest, is in one variant of a layer at most"
        " and stays in it."
    )
    empty = (
        "Add one: a control and a variant beside it, a goal, and how long it may take. It serves nobody"
        " before it is started. manage.py deploy_ab_test makes the first: the bandit against hybrid."
    )
    list_display = ["name", "layer", "state_told", "day", "health", "said", "started_at"]
    list_filter = ["state", "layer"]
    search_fields = ["key", "name"]
    list_select_related = ["layer"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Experiment]:
        last = Phase.objects.filter(experiment_id=OuterRef("pk")).order_by("-number")
        entries = Decision.objects.filter(experiment_id=OuterRef("pk"), acted=True).order_by("-id")
        rows: QuerySet[Experiment] = super().get_queryset(request)
        return rows.annotate(
            phase_began=Subquery(last.values("started_at")[:1]),
            phase_verdict=Subquery(last.values("verdict")[:1]),
            last_kind=Subquery(entries.values("kind")[:1]),
        )

    def get_urls(self) -> list[URLPattern]:
        wrap, act = self.admin_site.admin_view, require_http_methods(["GET", "HEAD", "POST"])
        pages: list[tuple[str, Any, str]] = [
            ("results/", require_safe(self.overview_view), "overview"),
            ("results.csv", require_safe(self.phase_csv_view(goals_csv)), "goals_csv"),
            ("days.csv", require_safe(self.phase_csv_view(days_csv)), "days_csv"),
            ("segments/", require_safe(self.segments_view), "segments"),
            ("segments.csv", require_safe(self.csv_view(segments_csv)), "segments_csv"),
            ("ages.csv", require_safe(self.csv_view(age_csv)), "age_csv"),
            ("debug/", require_safe(self.debug_view), "debug"),
            ("override/", require_POST(self.override_view), "override"),
            ("design/", act(self.design_view), "design"),
            ("act/<str:name>/", act(self.act_view), "act"),
        ]
        own = [
            path(f"<slug:key>/{route}", wrap(view), name=f"experiments_experiment_{name}")
            for route, view, name in pages
        ]
        return [*own, *super().get_urls()]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(ADD))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Pages of their own do, through the services."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @column(
        "State", ordering="state", label={"Running": "success", "Paused": "warning", "Rolled back": "danger"}
    )
    def state_told(self, experiment: Experiment) -> str:
        return str(experiment.get_state_display())

    @column("Day")
    def day(self, experiment: Any) -> str:
        if experiment.phase_began is None:
            return "–"
        passed = (experiment.ended_at or timezone.now()) - experiment.phase_began
        day = day_of_horizon(passed / timedelta(days=1), experiment.horizon_days)
        return f"{day} of {experiment.horizon_days}"

    @column("Health", label=HEALTH_LABELS)
    def health(self, experiment: Any) -> str:
        if not experiment.phase_verdict:
            return "not looked at yet"
        if experiment.phase_verdict["sample_ratio"]["p_value"] is None:
            return NOTHING_SEEN
        is_held = experiment.state == Experiment.State.RUNNING and experiment.last_kind == Decision.Kind.HOLD
        return HEALTH.get(experiment.phase_verdict["outcome"], HELD if is_held else "fine")

    @column("What it says")
    def said(self, experiment: Any) -> str:
        return str((experiment.phase_verdict or {}).get("sentence", "–"))

    # --- Pages -----------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, *arguments: Any, **options: Any) -> HttpResponse:
        """The form of a new one, in the place of Django's own."""
        return design_view(self, request, None)

    def change_view(
        self, request: HttpRequest, object_id: str, *arguments: Any, **options: Any
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        return self.overview_view(request, unquote(object_id))

    def overview_view(self, request: HttpRequest, key: str) -> HttpResponse:
        experiment = self._seen(request, key)
        found = _of_phase(request, experiment, overview_page)
        title = f"{experiment}: {experiment.get_state_display().lower()}"
        return self.page(request, experiment, "overview", title=title, found=found)

    def phase_csv_view(self, rows_of: Callable[[Experiment, int | None], StreamingHttpResponse]) -> Any:
        def view(request: HttpRequest, key: str) -> StreamingHttpResponse:
            return _of_phase(request, self._seen(request, key), rows_of)

        return view

    def csv_view(self, rows_of: Callable[[Experiment], StreamingHttpResponse]) -> Any:
        def view(request: HttpRequest, key: str) -> StreamingHttpResponse:
            return rows_of(self._seen(request, key))

        return view

    def segments_view(self, request: HttpRequest, key: str) -> HttpResponse:
        experiment = self._seen(request, key)
        title = f"{experiment}, by segment and by day since exposure"
        return self.page(request, experiment, "segments", title=title, found=segments_page(experiment))

    def debug_view(self, request: HttpRequest, key: str) -> HttpResponse:
        experiment = self._seen(request, key)
        return debug_page(self, request, experiment)

    def override_view(self, request: HttpRequest, key: str) -> HttpResponse:
        return override_view(self, request, get_object_or_404(Experiment, pk=key))

    def design_view(self, request: HttpRequest, key: str) -> HttpResponse:
        return design_view(self, request, key)

    def act_view(self, request: HttpRequest, key: str, name: str) -> HttpResponse:
        return act_view(self, request, key, name)

    def page(
        self,
        request: HttpRequest,
        experiment: Experiment | None,
        name: str,
        *,
        status: int = 200,
        **context: Any,
    ) -> TemplateResponse:
        request.current_app = self.admin_site.name
        shared = {
            "opts": self.opts,
            "experiment": experiment,
            "navigation": navigation(request, experiment, name) if experiment else (),
            "acts": acts_of(request, experiment) if experiment else (),
        }
        return TemplateResponse(
            request,
            f"experiments/{name}.html",
            {**self.admin_site.each_context(request), **shared, **context},
            status=status,
        )

    def _seen(self, request: HttpRequest, key: str) -> Experiment:
        if not request.user.has_perm(VIEW):
            raise PermissionDenied
        return get_object_or_404(Experiment.objects.select_related("layer"), pk=key)


Found = TypeVar("Found")


def _of_phase(
    request: HttpRequest, experiment: Experiment, find: Callable[[Experiment, int | None], Found]
) -> Found:
    """What is found of the phase that the address names, of the last one where it names none."""
    number = request.GET.get("phase", "")
    try:
        return find(experiment, int(number) if PHASE.fullmatch(number) else None)
    except NotFound as refusal:
        raise Http404(refusal.detail) from None
