"""The table of the bandit's versions, and the switch of each."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone

from apps.bandits.admin.navigation import CHANGE, PAGES, begin_link, freeze_link, link_to
from apps.bandits.admin.pages import PolicyPages
from apps.bandits.models import BanditCheck, BanditPolicy, BanditState
from apps.bandits.services import freeze, resume
from apps.core.admin import Link, offer_links
from apps.core.admin.asking import Act, act_with_reason
from apps.core.admin.columns import column, list_action


@admin.register(BanditPolicy)
class BanditPolicyAdmin(PolicyPages):
    group, icon, rank = "Serving", "casino", 1
    about = (
        "The terms on which a bandit draws which arms share a list. The newest version of the same arms"
        " serves them, and none is ever deleted."
    )
    empty = (
        "The first list that a bandit draws makes a version: let the serving policy be a bandit, and wait "
        "for a visitor."
    )
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
        "optimistic": "Whether a draw below the mean of a belief counts as the mean.",
        "half_life_days": "After how long a list weighs half. Empty: nothing is forgotten.",
        "explore": "Share of lists whose arms are drawn evenly.",
        "max_share": "Of first draws, for an arm that is not sure to be the best of its context.",
        "frozen": "Whether fixed weights serve. What is served is counted all the same.",
    }
    readonly_fields = ["last_check_told"]
    actions = ["freeze", "resume"]
    row_actions = {"resume": "Draw by belief again"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[BanditPolicy]:
        cells = BanditState.objects.filter(policy_id=OuterRef("pk")).order_by().values("policy_id")
        newer = BanditPolicy.objects.filter(arms=OuterRef("arms"), version__gt=OuterRef("version"))
        checks = BanditCheck.objects.filter(policy_id=OuterRef("pk"))
        rows: QuerySet[BanditPolicy] = (
            super()
            .get_queryset(request)
            .annotate(
                # Its own: what it began with was shown by the versions before.
                n_shown=Subquery(cells.annotate(n=Sum(F("shown") - F("base_shown"))).values("n")),
                n_successes=Subquery(cells.annotate(n=Sum(F("successes") - F("base_successes"))).values("n")),
                n_carried=Subquery(cells.annotate(n=Sum("base_shown")).values("n")),
                n_differing=Subquery(checks.values("n_differing")[:1]),
                checked_at=Subquery(checks.values("checked_at")[:1]),
                newer=Subquery(newer.values("version")[:1]),
            )
        )
        return rows

    def row_actions_of(self, row: BanditPolicy) -> Mapping[str, str]:
        return self.row_actions if row.frozen else {}

    def has_freeze_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CHANGE)

    @column("Arms")
    def drawn(self, policy: BanditPolicy) -> str:
        return ", ".join(policy.arms)

    @column("State", ordering="frozen", label={"frozen": "warning", "draws by belief": "success"})
    def state(self, policy: Any) -> str:
        if policy.newer is not None:
            return f"replaced by {policy.newer}"
        return "frozen" if policy.frozen else "draws by belief"

    @column("Films shown", ordering="n_shown")
    def shown(self, policy: Any) -> str:
        own = f"{policy.n_shown or 0:,}"
        return f"{own} (+ {policy.n_carried:,} carried over)" if policy.n_carried else own

    @column("Success")
    def success_rate(self, policy: Any) -> str:
        return f"{policy.n_successes / policy.n_shown:.1%}" if policy.n_shown else "–"

    @column("Last check")
    def checked(self, policy: Any) -> str:
        if policy.n_differing is None:
            return "not yet"
        found = f"{policy.n_differing} cells differ" if policy.n_differing else "equal to the log"
        return f"{found}, {timezone.localtime(policy.checked_at):%Y-%m-%d %H:%M}"

    @column("Last check")
    def last_check_told(self, policy: BanditPolicy) -> str:
        check = BanditCheck.objects.filter(policy=policy).first()
        return render_to_string("bandits/last_check.html", {"check": check, "policy": policy})

    @list_action("Serve all arms of the selected versions alike", permissions=["freeze"])
    def freeze(self, request: HttpRequest, queryset: QuerySet[BanditPolicy]) -> HttpResponse | None:
        run = partial(_freeze, request)
        act = Act(
            "Serve all arms of these alike, whatever is believed?",
            "Freeze",
            "Versions frozen",
            run,
            undo="resume",
        )
        return act_with_reason(self, request, queryset.filter(frozen=False), act)

    @list_action("Draw by belief again", permissions=["freeze"])
    def resume(self, request: HttpRequest, queryset: QuerySet[BanditPolicy]) -> HttpResponse | None:
        run = partial(_resume, request)
        act = Act("Draw by belief again?", "Resume", "Versions resumed", run)
        return act_with_reason(self, request, queryset.filter(frozen=True), act)


def _page(name: str) -> Any:
    def link(request: HttpRequest, policy: BanditPolicy) -> Link | None:
        return link_to(name, policy)

    return link


offer_links(BanditPolicy, *map(_page, PAGES), begin_link, freeze_link)


def _freeze(request: HttpRequest, policy: BanditPolicy, reason: str) -> None:
    freeze(version=policy.version, reason=reason, by=request.user)


def _resume(request: HttpRequest, policy: BanditPolicy, reason: str) -> None:
    resume(version=policy.version, reason=reason, by=request.user)
