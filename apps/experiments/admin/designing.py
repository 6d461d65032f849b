"""Setting up an experiment, and changing it: one form, and a row for each variant."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from apps.core import clock
from apps.core.admin.asking import add_refusal
from apps.core.admin.json_fields import StrictJSONField
from apps.core.errors import ApplicationError, InvalidInput
from apps.experiments.admin.navigation import ADD, CHANGE, page_url
from apps.experiments.metrics import GOALS, GUARDRAILS, METRICS, default_guardrails
from apps.experiments.models import Experiment, Layer
from apps.experiments.planning import power_of, site_of
from apps.experiments.policy import current_policy
from apps.experiments.requirements import recipe_names
from apps.experiments.services import (
    Design,
    VariantDesign,
    change_experiment,
    check_design,
    create_experiment,
    design_of,
)
from apps.experiments.services.checklist import told_power
from apps.experiments.services.designing import SEGMENTS, plan_of_design

N_VARIANTS = 4
TRY = "try"
"""The name of the button that says how long it takes and stores nothing."""
PLAIN = (
    "key",
    "name",
    "hypothesis",
    "layer",
    "range_start",
    "range_end",
    "age_from_days",
    "age_to_days",
    "min_effect",
    "alpha",
    "power",
    "test",
    "horizon_days",
    "only_differing",
    "dry_run",
)


class DesignForm(forms.Form):
    key = forms.SlugField(max_length=60, help_text="Names it in the log and in addresses, and stays.")
    name = forms.CharField(max_length=120)
    hypothesis = forms.CharField(
        required=False, widget=forms.Textarea({"rows": 2}), help_text="What you expect, and why."
    )
    layer = forms.ChoiceField(
        choices=Layer.Kind.choices,
        help_text="What variants decide: how lists are made, or by which recipe.",
    )
    goals = forms.MultipleChoiceField(
        choices=[(name, METRICS[name].title) for name in GOALS],
        initial=["ctr"],
        help_text="What should get better. The first that is chosen decides.",
    )
    first_goal = forms.ChoiceField(
        choices=[(name, METRICS[name].title) for name in GOALS],
        initial="ctr",
        label="Deciding goal",
        help_text="Of the goals, the one that ships or stops.",
    )
    min_effect = forms.FloatField(
        initial=0.05,
        label="Smallest effect",
        help_text="Relative, worth finding: 0.05 is five per cent.",
    )
    test = forms.ChoiceField(
        choices=Experiment.Test.choices,
        initial=Experiment.Test.PLANNED,
        help_text="Planned finds more by its end. At any time may be read and ended whenever you like.",
    )
    horizon_days = forms.IntegerField(
        initial=28, label="Horizon in days", help_text="Whole weeks: people are others at a week-end."
    )
    alpha = forms.FloatField(initial=0.05, help_text="How often nothing may look like something.")
    power = forms.FloatField(initial=0.8, help_text="How often the smallest effect should be found.")
    guardrails = StrictJSONField(
        initial=default_guardrails,
        widget=forms.Textarea({"rows": 4}),
        help_text=f"What may not get worse, and how much is too much. By default: {', '.join(GUARDRAILS)}.",
    )
    ramp = StrictJSONField(
        required=False,
        initial=list,
        widget=forms.Textarea({"rows": 3}),
        help_text='Steps of coverage: [{"coverage": 0.2, "hours": 24, "units": 500}, {"coverage": 1}].'
        ' "approval": true waits for somebody. Empty covers all at once.',
    )
    range_start = forms.FloatField(initial=0, label="Range from", help_text="Of the layer, 0 to 1.")
    range_end = forms.FloatField(
        initial=1, label="Range to", help_text="Experiments of one layer own ranges that do not meet."
    )
    segments = forms.MultipleChoiceField(
        choices=[(name, name) for name in SEGMENTS], required=False, help_text="None chosen: any."
    )
    languages = forms.CharField(
        required=False, max_length=100, help_text="Codes such as en, de; empty is any."
    )
    age_from_days = forms.FloatField(required=False, label="Account at least, in days")
    age_to_days = forms.FloatField(required=False, label="Account at most, in days")
    only_differing = forms.BooleanField(
        required=False,
        label="Count only lists that differ",
        help_text="Of fixed strategies: finds more, and makes each list once for every variant.",
    )
    dry_run = forms.BooleanField(
        required=False, label="Dry run", help_text="Says when it would roll back, and does not."
    )
    reason = forms.CharField(
        required=False, max_length=500, help_text="For a change of what runs. It goes into the audit."
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class VariantForm(forms.Form):
    name = forms.SlugField(required=False, max_length=60)
    weight = forms.FloatField(required=False, min_value=0, max_value=1)
    is_control = forms.BooleanField(required=False, label="Control")
    strategy = StrictJSONField(required=False, initial=dict, widget=forms.Textarea({"rows": 3}))
    recipe = forms.ChoiceField(required=False)
    description = forms.CharField(required=False, max_length=200)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        # Else a row that says what it said before would be taken for one that was not filled in.
        super().__init__(*arguments, **{**options, "empty_permitted": False})
        self.fields["recipe"].choices = [("", "–"), *((name, name) for name in sorted(set(recipe_names())))]  # type: ignore[attr-defined] # a choice field

    def design(self) -> VariantDesign | None:
        """None for a row that names nothing."""
        given = self.cleaned_data
        if not given.get("name"):
            return None
        return VariantDesign(
            name=given["name"],
            weight=given.get("weight") or 0.0,
            is_control=given["is_control"],
            strategy=given.get("strategy") or None,
            recipe=given.get("recipe") or "",
            description=given.get("description") or "",
        )


VariantForms = forms.formset_factory(VariantForm, extra=0)


def design_view(table: Any, request: HttpRequest, key: str | None) -> HttpResponse:
    """The form of a new experiment, or of the one of that key; stored once it was sent."""
    if not request.user.has_perm(ADD if key is None else CHANGE):
        raise PermissionDenied
    experiment = None if key is None else get_object_or_404(Experiment, pk=key)
    data = request.POST if request.method == "POST" else None
    form, variants = _forms(experiment, data)
    told = None
    if data is not None and form.is_valid() and variants.is_valid():
        design = _design(form, variants)
        if TRY in data:
            told = _try(form, design)
        elif _store(form, design, experiment, request):
            messages.success(request, f"{design.name} is stored.")
            return redirect(page_url("overview", design.key))
    page: HttpResponse = table.page(
        request,
        experiment,
        "design",
        status=400 if form.errors or any(variants.errors) else 200,
        title=f"Design of {experiment}" if experiment else "A new experiment",
        form=form,
        variants=variants,
        told=told,
        runs=experiment is not None and experiment.state != Experiment.State.DRAFT,
    )
    return page


def _forms(experiment: Experiment | None, data: Any) -> tuple[DesignForm, Any]:
    if experiment is None:
        rows: list[dict[str, Any]] = [
            {
                "name": "control",
                "weight": 0.5,
                "is_control": True,
                "strategy": current_policy().strategy.to_json(),
            },
            {"name": "treatment", "weight": 0.5, "strategy": {"policy": "bandit"}},
        ]
        return DesignForm(data), VariantForms(data, initial=_padded(rows), prefix="variant")
    design = design_of(experiment)
    initial = {name: getattr(design, name) for name in PLAIN} | {
        "goals": list(design.goals),
        "first_goal": design.goals[0],
        "guardrails": dict(design.guardrails),
        "ramp": list(design.ramp),
        "segments": list(design.segments),
        "languages": ", ".join(design.languages),
        "version": experiment.version,
    }
    rows = [vars(one) for one in design.variants]
    form = DesignForm(data, initial=initial)
    for name in ("key", "layer"):
        form.fields[name].disabled = True
    return form, VariantForms(data, initial=_padded(rows), prefix="variant")


def _padded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With empty rows for more variants: a form without a script cannot grow."""
    return rows + [{} for _ in range(max(N_VARIANTS - len(rows), 1))]


def _design(form: DesignForm, variants: Any) -> Design:
    given = form.cleaned_data
    first = given["first_goal"]
    goals = (first, *(name for name in given["goals"] if name != first))
    languages = (one.strip().lower() for one in given["languages"].split(","))
    return Design(
        **{name: given[name] for name in PLAIN},
        variants=tuple(one for row in variants.forms if (one := row.design()) is not None),
        goals=goals,
        guardrails=given["guardrails"] or {},
        segments=tuple(given["segments"]),
        languages=tuple(one for one in languages if one),
        ramp=tuple(given["ramp"] or ()),
    )


def _try(form: DesignForm, design: Design) -> str | None:
    """How long it takes, in a sentence; None where the design was refused, and the form says why."""
    try:
        check_design(design)
        plan = plan_of_design(design)
        return told_power(power_of(plan, site_of(clock.now())), plan)
    except ApplicationError as refusal:
        add_refusal(form, refusal)
        return None


def _store(form: DesignForm, design: Design, experiment: Experiment | None, request: HttpRequest) -> bool:
    given = form.cleaned_data
    try:
        if experiment is None:
            create_experiment(design=design, by=request.user)
        else:
            change_experiment(
                design=design,
                by=request.user,
                reason=given["reason"],
                expected_version=given["version"],
            )
    except InvalidInput as refusal:
        add_refusal(form, refusal)
        return False
    except ApplicationError as refusal:
        form.add_error(None, refusal.detail)
        return False
    return True
