"""Beginning a version of a policy: a form with its terms, and the act."""

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from apps.bandits.admin.navigation import BEGIN
from apps.bandits.models import BanditPolicy
from apps.bandits.services import begin_version
from apps.bandits.services.versions import terms_of
from apps.core.admin.asking import ReasonForm
from apps.core.errors import ApplicationError

TERMS = ("alpha", "beta", "sharpness", "optimistic", "half_life_days", "explore", "max_share")


def _number(label: str, help_text: str, *, required: bool = True) -> forms.FloatField:
    """Its range is the service's to judge, which says what is wrong with it."""
    widget = forms.TextInput({"inputmode": "decimal", "autocomplete": "off"})
    return forms.FloatField(label=label, help_text=help_text, required=required, widget=widget)


class BeginForm(ReasonForm):
    """``newest`` is the number of the newest version that the page was made beside."""

    alpha = _number("Alpha", "Successes that the rate of all arms together begins with.")
    beta = _number("Beta", "Failures that it begins with.")
    sharpness = _number(
        "Sharpness", "Share of its variance that a belief is drawn with, above 0 to 1: less explores less."
    )
    optimistic = forms.BooleanField(
        label="Optimistic", help_text="Whether a draw below the mean counts as the mean.", required=False
    )
    half_life_days = _number(
        "Half-life in days", "After how long a list weighs half. Empty forgets nothing.", required=False
    )
    explore = _number("Explore", "Share of lists whose arms are drawn evenly, 0 to 1.")
    max_share = _number(
        "Highest share", "Of first draws, above 0 to 1, for an arm that is not sure to be the best."
    )
    keep = _number(
        "Keep", "Part of what was counted so far that the version begins with: 1 is all, 0 begins anew."
    )
    newest = forms.IntegerField(widget=forms.HiddenInput)
    field_order = (*TERMS, "keep", "reason", "newest")

    def refuse(self, refusal: ApplicationError) -> None:
        """Puts the sentence beside the field that it is about."""
        for error in refusal.errors:
            name = error.pointer.strip("/")
            self.add_error(name if name in self.fields else None, error.detail)
        if not refusal.errors:
            self.add_error(None, refusal.detail)


def begin_view(table: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    """The form with the terms of this version, and, once it was sent, a new version of the same arms."""
    if not request.user.has_perm(BEGIN):
        raise PermissionDenied
    policy = get_object_or_404(BanditPolicy, pk=object_id)
    newest = _newest()
    form = BeginForm(request.POST if request.method == "POST" else None, initial=_initial(policy, newest))
    if form.is_valid():
        made = _begin(form, policy, newest, request.user)
        if made is not None:
            said = f"Version {made.version} has begun. It serves its arms within two seconds."
            messages.success(request, said)
            return redirect("admin:bandits_banditpolicy_changelist")
    page: HttpResponse = table.page(
        request,
        policy,
        "begin",
        status=400 if form.errors else 200,
        title=f"Begin version {newest + 1} of the bandit?",
        form=form,
    )
    return page


def _initial(policy: BanditPolicy, newest: int) -> dict[str, Any]:
    return {**{name: getattr(policy, name) for name in TERMS}, "keep": 1.0, "newest": newest}


def _begin(form: BeginForm, policy: BanditPolicy, newest: int, by: Any) -> BanditPolicy | None:
    """None where it was refused, and the form says why."""
    given = form.cleaned_data
    if given["newest"] != newest:
        # Sent twice, or somebody was quicker: what was asked for was asked of another version.
        form.add_error(None, f"Version {newest} has begun meanwhile: look at it before you begin another.")
        return None
    try:
        return begin_version(
            arms=policy.arms,
            reason=given["reason"],
            by=by,
            terms=replace(terms_of(policy), **{name: given[name] for name in TERMS}),
            keep=dict.fromkeys(policy.arms, given["keep"]),
        )
    except ApplicationError as refusal:
        form.refuse(refusal)
        return None


def _newest() -> int:
    return BanditPolicy.objects.order_by("-version").values_list("version", flat=True)[0]
