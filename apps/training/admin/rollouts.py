"""Rollouts for staff: where each stands, what can be done, and what served when."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.admin import Link, ReadOnlyAdmin, may_see, row_url
from apps.core.admin.asking import ReasonForm, add_refusal
from apps.core.admin.columns import column
from apps.core.admin.links import PageLink
from apps.core.admin.sheets import Column, Sheet, share
from apps.core.errors import ApplicationError
from apps.experiments.models import Decision, Experiment, Phase
from apps.experiments.policy import read_policy
from apps.experiments.summaries import summaries_of
from apps.training.admin.asking import asking_page
from apps.training.models import ModelVersion, Recipe, Rollout
from apps.training.services.rollouts import (
    ask_for_rollout,
    promote,
    require_in_steps,
    require_promoted,
    require_waiting,
    require_way_back,
    roll_back,
    rolled_back_next,
    serve_everybody,
    withdraw,
)
from apps.training.timeline import Moment, Share, days_before, moments, served_at

Status = Rollout.Status
ASK, PROMOTE, ROLL_BACK = "training.add_rollout", "training.promote_rollout", "training.roll_back_rollout"
DAYS = (7, 30, 90, 365)
SHARES = (
    Column.short("Recipe", "recipe"),
    Column.short("Version", "version"),
    Column("Of who may take part", ("share",), share),
    Column.short("By", "why"),
)
TAKES_PART = (
    "Shares are of all who may take part in each of these. Staff and the holdout get the recipe of the"
    " policy; whom an experiment does not target gets what serves beside it."
)
MOMENTS = (
    Column.short("When", "at"),
    Column.short("What", "what"),
    Column.short("Recipe", "recipe"),
    Column.short("Change", "said"),
    Column.short("By", "by"),
    Column.text("Why", "reason"),
)
UNDER_WAY = tuple(Rollout.UNDER_WAY)


@dataclass(frozen=True)
class Act:
    """``run`` takes the rollout, who acts, and the reason; ``check`` raises what it would at once, by the
    rollout's key. ``statuses`` are those that it fits.
    """

    title: str
    button: str
    about: str
    permission: str
    statuses: tuple[str, ...]
    check: Callable[[int], object]
    run: Callable[[Rollout, Any, str], object]


ACTS: Mapping[str, Act] = {
    "promote": Act(
        "Promote {} now?",
        "Promote now",
        "All viewers but 2 % get it within two seconds, whatever its steps still wait for.",
        PROMOTE,
        (Status.RUNNING,),
        require_in_steps,
        lambda rollout, by, reason: promote(rollout_id=rollout.pk, by=by, reason=reason),
    ),
    "serve_everybody": Act(
        "Let {} serve everybody?",
        "Serve everybody",
        "Its holdout ends, and the policy names it.",
        PROMOTE,
        (Status.PROMOTED,),
        require_promoted,
        lambda rollout, by, reason: serve_everybody(rollout_id=rollout.pk, by=by, reason=reason),
    ),
    "roll_back": Act(
        "Roll {} back?",
        "Roll back",
        "Everybody gets the recipe before within two seconds. A bandit's arms serve by fixed weights until"
        " somebody lets it draw again in the serving policy: what it learned lately is of this recipe.",
        ROLL_BACK,
        (*UNDER_WAY, Status.FINISHED),
        require_way_back,
        lambda rollout, by, reason: roll_back(rollout_id=rollout.pk, by=by, reason=reason),
    ),
    "withdraw": Act(
        "Withdraw {}?",
        "Withdraw",
        "It does not wait for its turn any more.",
        ASK,
        (Status.WAITING,),
        require_waiting,
        lambda rollout, by, reason: withdraw(rollout_id=rollout.pk, by=by, reason=reason),
    ),
}


class AskForm(ReasonForm):
    recipe = forms.ChoiceField(help_text="One that has a version, and does not serve everybody yet.")
    field_order = ("recipe", "reason")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        live = Recipe.objects.filter(versions__status=ModelVersion.Status.LIVE)
        names = live.exclude(name=read_policy().recipe).order_by("name").values_list("name", flat=True)
        self.fields["recipe"].choices = [(name, name) for name in names]  # type: ignore[attr-defined] # a choice field


class MomentForm(forms.Form):
    at = forms.DateTimeField(
        label="At",
        help_text="In the site's time, such as 2026-03-01 20:00.",
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


@admin.register(Rollout)
class RolloutAdmin(ReadOnlyAdmin):
    group, icon, rank = "Training", "rocket_launch", 1
    about = (
        "How a changed recipe comes to serve everybody: a tenth of all viewers, then half, then all but 2 %,"
        " each step held for its time and watched by guardrails, which roll it back by themselves."
    )
    empty = "Copy a recipe, change it, fit it, which tests it, and roll it out."
    list_display = [
        "id",
        "recipe",
        "against",
        "state",
        "is_timed",
        "asked_by",
        "started_at",
        "promoted_at",
        "ended_at",
        "why",
    ]
    list_filter = ["status", "recipe"]
    list_select_related = ["recipe"]
    list_before_template = "training/rollouts.html"
    change_form_outer_before_template = "training/rollout.html"
    explanations = {
        "against": "The recipe that serves until then, and again after a rollback.",
        "is_timed": "The site is too small for statistics: steps go on by time, and guardrails find only what"
        " is far worse.",
        "experiment": "What serves whom, what was counted, and every act with its figures.",
    }

    @column(
        "Status",
        ordering="status",
        label={
            "In steps": "info",
            "Promoted": "info",
            "Serves everybody": "success",
            "Rolled back": "danger",
            "Waiting": "warning",
        },
    )
    def state(self, rollout: Rollout) -> str:
        return rollout.get_status_display()

    @column("Why")
    def why(self, rollout: Rollout) -> str:
        return rollout.waits_for or rollout.ended_because or rollout.reason

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(ASK))

    def links_of(self, request: HttpRequest, row: Rollout) -> Sequence[Link]:
        links = [*super().links_of(request, row)]
        if row.experiment_id and may_see(request, Experiment):
            url = reverse("admin:experiments_experiment_overview", args=[row.experiment_id])
            links.append(Link("Its experiment and ledger", url, "science"))
        if may_see(request, Recipe):
            links.append(Link("The recipe", row_url(Recipe, row.recipe_id), "science"))
        return links

    # --- Pages -----------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap, act = self.admin_site.admin_view, require_http_methods(["GET", "HEAD", "POST"])
        return [
            path("timeline/", wrap(require_safe(self.timeline_view)), name="training_rollout_timeline"),
            path("<id:object_id>/act/<str:name>/", wrap(act(self.act_view)), name="training_rollout_act"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, *arguments: Any, **options: Any) -> HttpResponse:
        """Which recipe, and why; in the place of Django's own."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        initial = {"recipe": request.GET.get("recipe", "")}
        form = AskForm(request.POST if request.method == "POST" else None, initial=initial)
        if form.is_valid():
            given = form.cleaned_data
            try:
                rollout = ask_for_rollout(recipe=given["recipe"], by=request.user, reason=given["reason"])
            except ApplicationError as refusal:
                # Whatever is in the way is about the recipe.
                form.add_error("recipe", refusal.detail)
            else:
                messages.success(request, f"{rollout} is asked for: {rollout.get_status_display().lower()}.")
                return redirect(row_url(Rollout, rollout.pk))
        ask = Act(
            "Roll a recipe out?",
            "Roll out",
            "It serves a tenth of all viewers at first, and more step by step.",
            ASK,
            (),
            lambda key: None,
            lambda *given: None,
        )
        return self._asking(request, ask, form, "", back=reverse("admin:training_rollout_changelist"))

    def act_view(self, request: HttpRequest, object_id: int, name: str) -> HttpResponse:
        """Asks for the reason, and acts once it was given; a refusal is said on the page. Of an act that does
        not fit any more it is said on the rollout's own, and no reason is asked for.
        """
        act = ACTS.get(name)
        if act is None:
            raise Http404("There is no such act")
        if not request.user.has_perm(act.permission):
            raise PermissionDenied
        rollout = get_object_or_404(Rollout.objects.select_related("recipe"), pk=object_id)
        if request.method != "POST":
            try:
                act.check(object_id)
            except ApplicationError as refusal:
                messages.error(request, refusal.detail)
                return redirect(row_url(Rollout, object_id))
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                act.run(rollout, request.user, form.cleaned_data["reason"])
            except ApplicationError as refusal:
                add_refusal(form, refusal)
            else:
                messages.success(request, f"{act.button}: {rollout}. Done.")
                return redirect(row_url(Rollout, object_id))
        return self._asking(request, act, form, str(rollout), back=row_url(Rollout, object_id))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        rollout = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if rollout is not None:
            context |= {
                "acts": acts_of(request, rollout),
                "steps": _steps(rollout),
                "held": _held_by(rollout),
            }
        answer: HttpResponse = super().change_view(request, object_id, form_url, context)
        return answer

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {
            "timeline_url": reverse("admin:training_rollout_timeline"),
            "serving": read_policy().recipe,
        }
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def timeline_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = clock.now()
        asked = request.GET.get("days", "")
        days = int(asked) if asked in map(str, DAYS) else 30
        changes = f"Changes of the last {days} days"
        form = MomentForm(request.GET if "at" in request.GET else None)
        at = form.cleaned_data["at"] if form.is_valid() else None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "What served when",
            "changes": changes,
            "choices": [PageLink(f"{one} days", f"?days={one}", one == days) for one in DAYS],
            "moments": _moments_sheet(moments(days_before(now, days), now), changes),
            "form": form,
            "at": at,
            "shares": _shares_sheet(served_at(at or now), at),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "training/timeline.html", context)

    def _asking(
        self, request: HttpRequest, act: Act, form: forms.Form, what: str, *, back: str
    ) -> TemplateResponse:
        told = {"title": act.title.format(what), "button": act.button, "about": act.about, "back": back}
        return asking_page(self, request, form, **told)


def _shares_sheet(shares: Sequence[Share], at: datetime | None) -> Sheet:
    when = f"On {timezone.localtime(at):%Y-%m-%d %H:%M}" if at else "Now"
    rows = [{**vars(one), "version": one.version or "none is known"} for one in shares]
    return Sheet(when, SHARES, rows, "", about=TAKES_PART)


def _moments_sheet(found: Sequence[Moment], title: str) -> Sheet | None:
    """None where nothing changed."""
    rows = [{**vars(one), "at": f"{timezone.localtime(one.at):%Y-%m-%d %H:%M:%S}"} for one in found]
    return Sheet(title, MOMENTS, rows, "") if rows else None


def acts_of(request: HttpRequest, rollout: Rollout) -> list[PageLink]:
    """What can be done now, of what this member of staff may."""
    is_past = rollout.status == Status.FINISHED and rolled_back_next() != rollout
    return [
        PageLink(act.button, reverse("admin:training_rollout_act", args=[rollout.pk, name]))
        for name, act in ACTS.items()
        if rollout.status in act.statuses and request.user.has_perm(act.permission) and not is_past
    ]


@dataclass(frozen=True)
class _Step:
    """One row of a rollout's steps; ``share`` of those who take part get the candidate."""

    name: str
    share: str
    waits: str
    is_current: bool


def _held_by(rollout: Rollout) -> str:
    """What the last look found against the next step; empty where it found nothing, or nothing was due."""
    if rollout.status not in UNDER_WAY:
        return ""
    last = Decision.objects.filter(experiment=rollout.experiment_id).order_by("-id").first()
    return last.reason if last is not None and last.kind == Decision.Kind.HOLD else ""


def _steps(rollout: Rollout) -> list[_Step]:
    if rollout.experiment_id is None:
        return []
    experiment = Experiment.objects.get(pk=rollout.experiment_id)
    (summary,) = summaries_of([experiment])
    standing = summary.standing()
    is_promoted = rollout.promoted_at is not None
    at = -1 if standing is None or is_promoted else standing.step
    found = [
        _Step(f"Step {number + 1}", f"{step['coverage'] * 50:.0f} %", _waits(step), number == at)
        for number, step in enumerate(_ramp(rollout)[:-1])
    ]
    is_current = is_promoted and rollout.status == Status.PROMOTED
    return [*found, _Step("Promoted", "98 %", "", is_current)]


def _ramp(rollout: Rollout) -> list[dict[str, Any]]:
    """That of the first phase: a promotion has none."""
    phase = Phase.objects.filter(experiment=rollout.experiment_id).order_by("number").first()
    return list(phase.plan["steps"]) if phase else []


def _waits(step: Mapping[str, Any]) -> str:
    said = [f"{step['hours']:g} hours"] if step["hours"] else []
    if step["units"]:
        said.append(f"{step['units']:,} units")
    if step["approval"]:
        said.append("somebody's approval")
    return " and ".join(said)
