"""Beginning a version of a policy: a form with its terms, and the act."""

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from apps.bandits.admin.navigation import BEGIN
from apps.bandits.admin.terms import TermsForm, number_field
from apps.bandits.admin.verdicts import Preview, preview
from apps.bandits.models import BanditPolicy
from apps.bandits.services import begin_version
from apps.bandits.services.targets import terms_name
from apps.bandits.services.versions import Terms, terms_of
from apps.core.admin.asking import add_refusal
from apps.core.errors import ApplicationError

TERMS = ("alpha", "beta", "sharpness", "optimistic", "half_life_days", "explore", "max_share")


class BeginForm(TermsForm):
    """``newest`` is the number of the newest version that the page was made beside."""

    alpha = number_field("Alpha", "Successes that the rate of all arms together begins with.")
    beta = number_field("Beta", "Failures that it begins with.")
    sharpness = number_field(
        "Sharpness", "Share of its variance that a belief is drawn with, above 0 to 1: less explores less."
    )
    optimistic = forms.BooleanField(
        label="Optimistic", help_text="Whether a draw below the mean counts as the mean.", required=False
    )
    half_life_days = number_field(
        "Half-life in days", "After how long a list weighs half. Empty forgets nothing.", required=False
    )
    explore = number_field("Explore", "Share of lists whose arms are drawn evenly, 0 to 1.")
    max_share = number_field(
        "Highest share", "Of first draws, above 0 to 1, for an arm that is not sure to be the best."
    )
    keep = number_field(
        "Keep", "Part of what was counted so far that the version begins with: 1 is all, 0 begins anew."
    )
    newest = forms.IntegerField(widget=forms.HiddenInput)
    field_order = (*TERMS, "keep", "reason", "newest")

    def terms_beside(self, policy: BanditPolicy) -> Terms:
        """What the form says, and what it leaves out as ``policy`` has it. Of a valid form."""
        return replace(terms_of(policy), **{name: self.cleaned_data[name] for name in TERMS})


def begin_view(table: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    """The form with the terms of this version, what they would have earned when that is asked for, and, once
    it was sent, a new version of the same arms.
    """
    if not request.user.has_perm(BEGIN):
        raise PermissionDenied
    policy = get_object_or_404(BanditPolicy, pk=object_id)
    newest = _newest()
    form = BeginForm(request.POST if request.method == "POST" else None, initial=_initial(policy, newest))
    found = None
    if form.is_valid() and form.is_preview:
        found = _preview(form, policy)
    elif form.is_valid():
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
        preview=found,
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
            terms=form.terms_beside(policy),
            keep=dict.fromkeys(policy.arms, given["keep"]),
        )
    except ApplicationError as refusal:
        add_refusal(form, refusal)
        return None


def _preview(form: BeginForm, policy: BanditPolicy) -> Preview | None:
    """None where the terms were refused, and the form says why."""
    keep = form.cleaned_data["keep"]
    try:
        return preview(policy, "These terms", lambda log: terms_name(log, form.terms_beside(policy), keep))
    except ApplicationError as refusal:
        add_refusal(form, refusal)
        return None


def _newest() -> int:
    return BanditPolicy.objects.order_by("-version").values_list("version", flat=True)[0]
