"""What staff do to an experiment: one page for each act, which asks for a reason and does it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from apps.core.admin.asking import MAX_REASON, ReasonForm, add_refusal
from apps.core.admin.links import PageLink
from apps.core.errors import ApplicationError
from apps.experiments import services
from apps.experiments.admin.navigation import act_url, page_url
from apps.experiments.models import Experiment
from apps.experiments.services.designing import delete_experiment
from apps.experiments.summaries import require_reading

State = Experiment.State
RUNS = (State.RUNNING, State.PAUSED)
ENDS = ("ship", "stop", "roll_back")


@dataclass(frozen=True)
class Act:
    """``run`` takes the experiment, who acts, and what the form says. ``states`` are those that it fits."""

    title: str
    button: str
    about: str
    permission: str
    states: tuple[str, ...]
    run: Callable[[Experiment, Any, Mapping[str, Any]], object]
    needs_reason: bool = True
    form: type[ReasonForm] = ReasonForm


class StartForm(ReasonForm):
    """``version`` is the one that the checklist was read on."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    field_order = ("reason", "version")


class ShipForm(ReasonForm):
    variant = forms.ChoiceField(help_text="What it serves becomes the policy of everybody.")
    field_order = ("variant", "reason")


def _simple(service: Callable[..., object]) -> Callable[[Experiment, Any, Mapping[str, Any]], object]:
    def run(experiment: Experiment, by: Any, given: Mapping[str, Any]) -> object:
        return service(key=experiment.key, by=by, reason=given["reason"])

    return run


def _start(experiment: Experiment, by: Any, given: Mapping[str, Any]) -> object:
    version, reason = given["version"], given["reason"]
    return services.start(key=experiment.key, by=by, reason=reason, expected_version=version)


def _ship(experiment: Experiment, by: Any, given: Mapping[str, Any]) -> object:
    return services.ship(key=experiment.key, variant=given["variant"], by=by, reason=given["reason"])


def _delete(experiment: Experiment, by: Any, given: Mapping[str, Any]) -> object:
    delete_experiment(key=experiment.key, by=by)
    return None


ACTS: Mapping[str, Act] = {
    "start": Act(
        "Start {}?",
        "Start",
        "It serves within two seconds. Its plan is frozen: to change it later begins a new phase.",
        "experiments.start_experiment",
        (State.DRAFT,),
        _start,
        needs_reason=False,
        form=StartForm,
    ),
    "approve": Act(
        "Approve the step that {} stands at?",
        "Approve",
        "Its ramp goes on at the next look, if nothing else holds it.",
        "experiments.start_experiment",
        RUNS,
        _simple(services.approve),
        needs_reason=False,
    ),
    "pause": Act(
        "Pause {}?",
        "Pause",
        "Everybody gets what serves outside of it, until it is resumed. Who is in which variant is kept.",
        "experiments.stop_experiment",
        (State.RUNNING,),
        _simple(services.pause),
    ),
    "resume": Act(
        "Resume {}?",
        "Resume",
        "Everybody is in the variant that they were in.",
        "experiments.start_experiment",
        (State.PAUSED,),
        _simple(services.resume),
    ),
    "ship": Act(
        "Ship a variant of {}?",
        "Ship",
        "The experiment ends, and what the variant serves becomes the policy of everybody.",
        "experiments.ship_experiment",
        RUNS,
        _ship,
        form=ShipForm,
    ),
    "stop": Act(
        "Stop {}?",
        "Stop",
        "It ends, and everybody gets what serves outside of it. What it found is kept.",
        "experiments.stop_experiment",
        RUNS,
        _simple(services.stop),
    ),
    "roll_back": Act(
        "Roll {} back?",
        "Roll back",
        "It ends as one that did harm.",
        "experiments.roll_back_experiment",
        RUNS,
        _simple(services.roll_back),
    ),
    "delete": Act(
        "Delete {}?",
        "Delete",
        "The draft is gone; the audit says what it was.",
        "experiments.delete_experiment",
        (State.DRAFT,),
        _delete,
        needs_reason=False,
    ),
}


def acts_of(request: HttpRequest, experiment: Experiment) -> list[PageLink]:
    """The acts that fit its state, of those that this member of staff may do."""
    # A step that was taken back waits for somebody too.
    idle = () if len(experiment.ramp) > 1 else ("approve",)
    return [
        PageLink(act.button, act_url(name, experiment.key))
        for name, act in ACTS.items()
        if experiment.state in act.states and request.user.has_perm(act.permission) and name not in idle
    ]


def act_view(table: Any, request: HttpRequest, key: str, name: str) -> HttpResponse:
    """Asks, and acts once it was answered; a refusal is said on the page."""
    act = ACTS.get(name)
    if act is None:
        raise Http404("There is no such act")
    if not request.user.has_perm(act.permission):
        raise PermissionDenied
    experiment = get_object_or_404(Experiment, pk=key)
    form = _form(act, experiment, request.POST if request.method == "POST" else None)
    if form.is_valid() and _do(act, experiment, request, form):
        gone = not Experiment.objects.filter(pk=key).exists()
        messages.success(request, f"{act.button}: {experiment}. Done.")
        return redirect("admin:experiments_experiment_changelist" if gone else page_url("overview", key))
    page: HttpResponse = table.page(
        request,
        experiment,
        "act",
        status=400 if form.errors else 200,
        title=act.title.format(experiment),
        act=act,
        form=form,
        checks=services.checklist(experiment) if name == "start" else (),
        said=_said(experiment) if name in ENDS else "",
    )
    return page


def _said(experiment: Experiment) -> str:
    """What its results say now, for whoever is about to end it."""
    try:
        return require_reading(experiment).verdict.sentence
    except ApplicationError as refusal:
        return refusal.detail


def _form(act: Act, experiment: Experiment, data: Any) -> Any:
    form: Any = act.form(data, initial={"version": experiment.version})
    form.fields["reason"].required = act.needs_reason
    form.fields["reason"].max_length = MAX_REASON
    if act.form is ShipForm:
        names = experiment.variants.order_by("is_control", "name").values_list("name", flat=True)
        form.fields["variant"].choices = [(name, name) for name in names]
    return form


def _do(act: Act, experiment: Experiment, request: HttpRequest, form: Any) -> bool:
    try:
        act.run(experiment, request.user, form.cleaned_data)
    except ApplicationError as refusal:
        add_refusal(form, refusal)
        return False
    return True
