"""Setting up an experiment, and changing it: one form, and a row for each variant."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from apps.core.admin.asking import add_refusal
from apps.core.errors import ApplicationError, InvalidInput
from apps.experiments.admin.forms import BANDIT, CURRENT, DesignForm, VariantForms, chosen_of, refusals_of
from apps.experiments.admin.navigation import ADD, CHANGE, SEE_VIEWERS, may_change, page_url
from apps.experiments.admin.trying import forecast, previewed
from apps.experiments.models import Experiment
from apps.experiments.services import (
    Design,
    VariantDesign,
    change_experiment,
    create_experiment,
    design_of,
)

N_VARIANTS = 4
TRY, PREVIEW = "try", "preview"
"""The names of the buttons that ask what the design would do, and store nothing."""
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
    "pinned_recipe",
)


def design_view(table: Any, request: HttpRequest, key: str | None) -> HttpResponse:
    """The form of a new experiment, or of the one of that key; stored once it was sent."""
    if not request.user.has_perm(ADD if key is None else CHANGE):
        raise PermissionDenied
    experiment = None if key is None else get_object_or_404(Experiment, pk=key)
    if experiment is not None and experiment.ended_at is not None:
        messages.error(request, f"{experiment} has ended, and stays as it was: make a new experiment.")
        return redirect(page_url("overview", experiment.key))
    if experiment is not None and not may_change(request, experiment):
        raise PermissionDenied
    data = request.POST if request.method == "POST" else None
    form, variants = _forms(experiment, data)
    may_preview = request.user.has_perm(SEE_VIEWERS)
    tried: dict[str, Any] = {}
    if data is not None and form.is_valid() and variants.is_valid():
        design = _design(form, variants, experiment)
        if TRY in data or PREVIEW in data:
            tried = _try(form, design, data, may_preview=may_preview)
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
        refused=refusals_of([form, *variants.forms]),
        may_preview=may_preview,
        **tried,
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
                "serves": CURRENT,
            },
            {"name": "treatment", "weight": 0.5, "serves": BANDIT},
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
    rows = [_row(one) for one in design.variants]
    form = DesignForm(data, initial=initial)
    for name in ("key", "layer"):
        form.fields[name].disabled = True
    return form, VariantForms(data, initial=_padded(rows), prefix="variant")


def _row(variant: VariantDesign) -> dict[str, Any]:
    """As the form says it: a strategy that has a name by that alone."""
    chosen = chosen_of(variant.strategy)
    return {**vars(variant), "serves": chosen, "strategy": None if chosen else variant.strategy}


def _padded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With empty rows for more variants: a form without a script cannot grow."""
    return rows + [{} for _ in range(max(N_VARIANTS - len(rows), 1))]


def _design(form: DesignForm, variants: Any, experiment: Experiment | None) -> Design:
    given = form.cleaned_data
    first = given["first_goal"]
    goals = (first, *(name for name in given["goals"] if name != first))
    languages = (one.strip().lower() for one in given["languages"].split(","))
    return Design(
        **{name: given[name] for name in PLAIN},
        purpose=experiment.purpose if experiment else Experiment.Purpose.COMPARE.value,
        variants=tuple(one for row in variants.forms if (one := row.design()) is not None),
        goals=goals,
        guardrails={} if given["guardrails"] is None else given["guardrails"],
        segments=tuple(given["segments"]),
        languages=tuple(one for one in languages if one),
        ramp=tuple(ramp) if isinstance(ramp := given["ramp"] or (), list) else ramp,
    )


def _try(form: DesignForm, design: Design, data: Any, *, may_preview: bool) -> dict[str, Any]:
    """What the page shows of it; nothing where the design was refused, and the form says why."""
    try:
        if TRY in data:
            return {"forecast": forecast(design, form.cleaned_data)}
        if not may_preview:
            raise PermissionDenied
        return {"preview": previewed(design, form.cleaned_data["viewer"].strip())}
    except ApplicationError as refusal:
        add_refusal(form, refusal)
        return {}


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
