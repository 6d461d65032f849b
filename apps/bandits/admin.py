"""What the bandit is made of, for staff: its versions with what they earned, and a switch for each."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.bandits.heat import COLUMNS, heat_map, table_rows
from apps.bandits.models import BanditCheck, BanditPolicy, BanditState
from apps.bandits.services import freeze, resume
from apps.core import converters  # noqa: F401 - makes <id:…> known
from apps.core.admin import Link, ReadOnlyAdmin, offer_links
from apps.core.admin.asking import Act, act_with_reason
from apps.core.admin.columns import column, list_action
from apps.core.spreadsheets import csv_lines


@admin.register(BanditPolicy)
class BanditPolicyAdmin(ReadOnlyAdmin):
    group, icon, rank = "Serving", "casino", 1
    about = (
        "The terms on which a bandit draws which arms share a list. The newest version of the same arms"
        " serves them, and none is ever deleted."
    )
    empty = "The first serving policy that is a bandit makes a version."
    list_display = [
        "version",
        "drawn",
        "state",
        "shown",
        "success_rate",
        "checked",
        "started_at",
        "reason",
    ]
    list_filter = ["frozen"]
    explanations = {
        "alpha": "Successes that the rate of all arms together begins with; beta: failures.",
        "sharpness": "Share of its variance that a belief is drawn with: less explores less.",
        "half_life_days": "After how long a list weighs half. Empty: nothing is forgotten.",
        "explore": "Share of lists whose arms are drawn evenly.",
        "max_share": "Of first draws, for an arm that is not sure to be the best of its context.",
        "frozen": "Whether fixed weights serve. What is served is counted all the same.",
    }
    actions = ["freeze", "resume"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[BanditPolicy]:
        cells = BanditState.objects.filter(policy_id=OuterRef("pk")).order_by().values("policy_id")
        checks = BanditCheck.objects.filter(policy_id=OuterRef("pk"))
        rows: QuerySet[BanditPolicy] = (
            super()
            .get_queryset(request)
            .annotate(
                n_shown=Subquery(cells.annotate(n=Sum("shown")).values("n")),
                n_successes=Subquery(cells.annotate(n=Sum("successes")).values("n")),
                n_differing=Subquery(checks.values("n_differing")[:1]),
            )
        )
        return rows

    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, Any, str]] = [
            ("<id:object_id>/beliefs/", require_safe(self.beliefs_view), "beliefs"),
            ("<id:object_id>/beliefs.csv", require_safe(self.csv_view), "csv"),
        ]
        wrap = self.admin_site.admin_view
        own = [path(route, wrap(view), name=f"bandits_banditpolicy_{name}") for route, view, name in pages]
        return [*own, *super().get_urls()]

    def beliefs_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Contexts and arms, and what is believed of each pair."""
        policy = self._seen(request, object_id)
        found = heat_map(policy.version)
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "policy": policy,
            "title": f"What version {policy.version} of the bandit believes",
            "explore": f"{policy.explore:.0%}",
            "max_share": f"{policy.max_share:.0%}",
            "arms": found.arms,
            "rows": found.rows,
        }
        return TemplateResponse(request, "bandits/beliefs.html", context)

    def csv_view(self, request: HttpRequest, object_id: int) -> StreamingHttpResponse:
        policy = self._seen(request, object_id)
        lines = csv_lines(COLUMNS, table_rows(policy.version))
        answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        name = f"bandit-{policy.version}-{timezone.now():%Y-%m-%d}.csv"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    def _seen(self, request: HttpRequest, object_id: int) -> BanditPolicy:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(BanditPolicy, pk=object_id)

    def has_freeze_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("bandits.change_banditpolicy")

    @column("Arms")
    def drawn(self, policy: BanditPolicy) -> str:
        return ", ".join(policy.arms)

    @column("State", ordering="frozen", label={"frozen": "warning", "draws by belief": "success"})
    def state(self, policy: BanditPolicy) -> str:
        return "frozen" if policy.frozen else "draws by belief"

    @column("Films shown", ordering="n_shown")
    def shown(self, policy: Any) -> int:
        return policy.n_shown or 0

    @column("Success")
    def success_rate(self, policy: Any) -> str:
        return f"{policy.n_successes / policy.n_shown:.1%}" if policy.n_shown else "–"

    @column("Last check")
    def checked(self, policy: Any) -> str:
        if policy.n_differing is None:
            return "not yet"
        return f"{policy.n_differing} cells differ" if policy.n_differing else "equal to the log"

    @list_action("Freeze the selected versions", permissions=["freeze"])
    def freeze(self, request: HttpRequest, queryset: QuerySet[BanditPolicy]) -> HttpResponse | None:
        run = partial(_freeze, request)
        act = Act("Serve these by fixed weights?", "Freeze", "Versions frozen", run, undo="resume")
        return act_with_reason(self, request, queryset.filter(frozen=False), act)

    @list_action("Draw by belief again", permissions=["freeze"])
    def resume(self, request: HttpRequest, queryset: QuerySet[BanditPolicy]) -> HttpResponse | None:
        run = partial(_resume, request)
        act = Act("Draw by belief again?", "Resume", "Versions resumed", run, undo="freeze")
        return act_with_reason(self, request, queryset.filter(frozen=True), act)


def _beliefs(request: HttpRequest, policy: BanditPolicy) -> Link | None:
    url = reverse("admin:bandits_banditpolicy_beliefs", args=[policy.pk])
    return Link("What it believes", url, "grid_on")


offer_links(BanditPolicy, _beliefs)


def _freeze(request: HttpRequest, policy: BanditPolicy, reason: str) -> None:
    freeze(version=policy.version, reason=reason, by=request.user)


def _resume(request: HttpRequest, policy: BanditPolicy, reason: str) -> None:
    resume(version=policy.version, reason=reason, by=request.user)
