"""Freezing a version: a form with the part of each arm, and the act."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from apps.bandits.admin.navigation import CHANGE, page_url
from apps.bandits.admin.terms import TermsForm, number_field
from apps.bandits.admin.verdicts import preview
from apps.bandits.models import BanditPolicy
from apps.bandits.services import freeze
from apps.bandits.services.targets import weights_name
from apps.core.admin.asking import add_refusal
from apps.core.errors import ApplicationError

MOST_PART = 1000.0


class FreezeForm(TermsForm):
    """A part for each arm of ``policy``: only how they compare matters."""

    def __init__(self, policy: BanditPolicy, data: Any = None) -> None:
        super().__init__(data)
        self.arms = policy.arms
        for arm in policy.arms:
            self.fields[arm] = number_field(
                arm, initial=policy.frozen_weights.get(arm, 1), min_value=0, max_value=MOST_PART
            )
        self.order_fields([*policy.arms, "reason"])

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for arm in self.arms:
            if given.get(arm) == 0:
                self.add_error(arm, "Give each arm some part: what is never shown can never be judged again.")
        return given

    @property
    def weights(self) -> dict[str, float]:
        """1 in sum. Of a valid form."""
        total = sum(self.cleaned_data[arm] for arm in self.arms)
        return {arm: self.cleaned_data[arm] / total for arm in self.arms}


def freeze_view(table: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    """The form, what its weights would have earned when that is asked for, and, once it was sent, the act."""
    if not request.user.has_perm(CHANGE):
        raise PermissionDenied
    policy = get_object_or_404(BanditPolicy, pk=object_id)
    form = FreezeForm(policy, request.POST if request.method == "POST" else None)
    found = None
    if form.is_valid():
        if form.is_preview:
            found = preview(policy, "These weights", lambda _: weights_name(form.weights))
        elif _freeze(form, policy, request):
            return redirect(page_url("change", policy))
    page: HttpResponse = table.page(
        request,
        policy,
        "freeze",
        status=400 if form.errors else 200,
        title=f"Serve version {policy.version} by fixed weights?",
        form=form,
        preview=found,
    )
    return page


def _freeze(form: FreezeForm, policy: BanditPolicy, request: HttpRequest) -> bool:
    reason, by = form.cleaned_data["reason"], request.user
    try:
        freeze(version=policy.version, reason=reason, by=by, weights=form.weights)
    except ApplicationError as refusal:
        add_refusal(form, refusal)
        return False
    messages.success(request, f"Version {policy.version} is frozen. Fixed weights serve within two seconds.")
    return True
