"""Where one viewer stands to an experiment, step by step; and putting them into a variant."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from apps.accounts.lookup import user_named
from apps.accounts.models import User
from apps.algorithms.assignment import bucket
from apps.core.errors import ApplicationError, NotFound
from apps.experiments import services
from apps.experiments.admin.navigation import OVERRIDE, SEE_VIEWERS, page_url
from apps.experiments.assigning import Placement
from apps.experiments.attributes import attributes_of_user
from apps.experiments.models import Experiment


class DebugForm(forms.Form):
    viewer = forms.CharField(
        max_length=150,
        label="Viewer",
        help_text="A number, a name, or a unit key as the log has it.",
    )
    language = forms.CharField(
        required=False,
        max_length=10,
        label="Language",
        help_text="Of the request, such as en: experiments may be for some languages alone.",
    )


@dataclass(frozen=True)
class Step:
    """One thing that assigning asks, in its order. ``place`` of the unit is None where no hash is asked."""

    name: str
    salt: str
    place: float | None
    asked: str


@dataclass(frozen=True)
class Standing:
    """``placement`` is None where the experiment does not run; there are no ``steps`` then."""

    unit: UUID
    user: User | None
    attributes: services.Attributes
    placement: Placement | None
    steps: Sequence[Step] = ()


def debug_page(table: Any, request: HttpRequest, experiment: Experiment) -> HttpResponse:
    form = DebugForm(request.GET or None)
    found = None
    if form.is_valid():
        try:
            given = form.cleaned_data
            found = _standing(
                experiment,
                given["viewer"].strip(),
                language=given["language"].strip().lower(),
                may_see_viewers=request.user.has_perm(SEE_VIEWERS),
            )
        except ApplicationError as refusal:
            form.add_error("viewer", refusal.detail)
    page: HttpResponse = table.page(
        request,
        experiment,
        "debug",
        status=400 if form.errors else 200,
        title=f"Where a viewer stands to {experiment}",
        form=form,
        found=found,
        may_override=request.user.has_perm(OVERRIDE) and experiment.ended_at is None,
        variants=list(experiment.variants.values_list("name", flat=True)),
        links=_links(request, experiment),
    )
    return page


def _standing(experiment: Experiment, asked: str, *, language: str, may_see_viewers: bool) -> Standing:
    """Who may not see viewers may ask of unit keys, and is told nobody's name."""
    unit = _as_uuid(asked)
    if unit is None and not may_see_viewers:
        raise NotFound("Give a unit key: names and numbers are for who may see viewers.")
    user = _user(asked) if unit is None else User.objects.filter(unit_key=unit).first()
    unit = user.unit_key if user else unit
    if unit is None:
        raise NotFound(f"There is no viewer {asked!r}, and it is no unit key.")
    attributes = attributes_of_user(user) if user else services.Attributes()
    attributes = replace(attributes, language=language)
    user = user if may_see_viewers else None
    try:
        group = services.group_of(unit, experiment.key, attributes)
    except NotFound:
        return Standing(unit, user, attributes, None)
    return Standing(unit, user, attributes, group.placement, _steps(str(unit), attributes, group))


def _steps(unit: str, attributes: services.Attributes, group: services.Group) -> list[Step]:
    running, placement, holdout = group.running, group.placement, group.holdout
    by_hand = running.overrides.get(unit)
    held = "nobody is held out"
    if holdout is not None:
        held = f"below {holdout.share:g} is held out of every experiment"
    targeted = running.targeting.refusal(attributes) or "meets what is asked"
    weights = ", ".join(f"{name} {weight:g}" for name, weight in sorted(running.weights.items()))
    who = "may take part"
    if attributes.is_imported or attributes.is_staff:
        who = "of a data set: in none" if attributes.is_imported else "staff: in none but by hand"
    return [
        Step("Override", "", None, f"put into {by_hand} by hand" if by_hand else "none"),
        Step("Kind of viewer", "", None, who),
        Step(
            "Holdout",
            holdout.salt if holdout else "",
            bucket(holdout.salt, unit) if holdout else None,
            held,
        ),
        Step(
            f"Layer {running.kind}",
            running.layer_salt,
            placement.layer_bucket,
            f"{running.start:g} to {running.end:g} is the experiment’s",
        ),
        Step("Targeting", "", None, targeted),
        Step(
            "Coverage",
            running.coverage_salt,
            placement.coverage_bucket,
            f"below {running.coverage:.4g} takes part",
        ),
        Step(
            "Split",
            running.split_salt,
            placement.split_bucket,
            f"0 to 1 divided in this order: {weights}",
        ),
    ]


def _user(asked: str) -> User | None:
    try:
        return user_named(asked)
    except NotFound:
        return None


def _unit(asked: str) -> UUID:
    unit = _as_uuid(asked)
    if unit is None:
        raise NotFound(f"{asked!r} is no unit key.")
    return unit


def _as_uuid(asked: str) -> UUID | None:
    try:
        return UUID(asked)
    except ValueError:
        return None


@dataclass(frozen=True)
class VariantLink:
    variant: str
    url: str


def _links(request: HttpRequest, experiment: Experiment) -> list[VariantLink]:
    """For whoever may put viewers into variants: to open in the browser that is to see one."""
    may_override = request.user.has_perm(OVERRIDE) and experiment.ended_at is None
    if not may_override or not request.user.is_authenticated:
        return []
    return [
        VariantLink(
            name,
            request.build_absolute_uri(
                reverse(
                    "experiment-link",
                    args=[services.link_token(key=experiment.key, variant=name, by=request.user)],
                )
            ),
        )
        for name in experiment.variants.values_list("name", flat=True)
    ]


def override_view(table: Any, request: HttpRequest, experiment: Experiment) -> HttpResponse:
    """Puts a unit into a variant."""
    if not request.user.has_perm(OVERRIDE):
        raise PermissionDenied
    try:
        unit = _unit(request.POST.get("unit", ""))
        variant, reason = request.POST.get("variant", ""), request.POST.get("reason", "")
        services.override(key=experiment.key, unit_key=unit, variant=variant, by=request.user, reason=reason)
    except ApplicationError as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, f"In {variant} from now on, and not counted.")
    return redirect(f"{page_url('debug', experiment.key)}?viewer={request.POST.get('unit', '')}")
