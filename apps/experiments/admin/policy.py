"""Steering what serves everybody."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from apps.core.admin import ExplainedAdmin
from apps.core.admin.asking import Act, act_with_reason
from apps.core.admin.columns import list_action
from apps.core.errors import ApplicationError
from apps.experiments.models import ServingPolicy
from apps.experiments.requirements import recipe_names
from apps.experiments.services import (
    bandit_serves,
    change_policy,
    check_policy,
    resume_bandit,
    suspend_bandit,
)


class ServingPolicyForm(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    """``seen_version`` is the version that the form was opened on."""

    seen_version = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}), help_text="Goes into the audit"
    )

    class Meta:
        model = ServingPolicy
        fields = ["strategy", "recipe", "reason"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["seen_version"].initial = self.instance.version
        self.initial["reason"] = ""
        if "recipe" in self.fields:
            # The one that serves too, which a new site has not trained yet.
            names = sorted({*recipe_names(), self.instance.recipe})
            self.fields["recipe"].widget = UnfoldAdminSelectWidget(choices=[(name, name) for name in names])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "strategy" in cleaned and "recipe" in cleaned:
            try:
                check_policy(
                    strategy=cleaned["strategy"],
                    recipe=cleaned["recipe"],
                    expected_version=cleaned.get("seen_version"),
                )
            except ApplicationError as refusal:
                self.add_error(self._field_of(refusal), refusal.detail)
        return cleaned

    def _field_of(self, refusal: ApplicationError) -> str | None:
        """The field that the refusal is about; None when it is about the form."""
        named = {error.pointer.split("/")[1] for error in refusal.errors}
        return named.pop() if len(named) == 1 and named <= set(self.fields) else None


@admin.register(ServingPolicy)
class ServingPolicyAdmin(ExplainedAdmin):
    group, icon, rank = "Serving", "tune", 0
    about = "What serves everybody. A change is in effect within two seconds."
    form = ServingPolicyForm
    explanations = {
        "strategy": 'Which arms share a list, and how varied it is, such as {"policy": "fixed", "arms":'
        ' {"item_cf": 0.7, "popular": 0.3}, "diversity": 0.3}. With {"policy": "bandit", "arms": ["svd",'
        ' "als", "item_cf"], "slots": 2} a bandit draws two of them for each list, by what it has learned.',
        "recipe": "Its live version scores. One that is not trained yet cannot serve: train it first.",
        "version": "Grows with each change. Lists in the log name it.",
        "bandit_suspended": "Whether a bandit's arms serve by fixed weights, since it did harm. It counts"
        " once a bandit serves.",
    }
    empty = "Run manage.py migrate: it brings the policy that a site starts with."
    list_display = ("__str__", "strategy", "recipe", "bandit_suspended", "changed_at", "changed_by", "reason")
    readonly_fields = ("version", "bandit_suspended", "changed_at", "changed_by")
    actions = ("suspend", "resume")
    row_actions = {"suspend": "Suspend the bandit", "resume": "Let the bandit draw again"}

    def row_actions_of(self, row: ServingPolicy) -> Mapping[str, str]:
        """The one of the two that would change anything; none where no bandit serves."""
        if not bandit_serves():
            return {}
        idle = "suspend" if row.bandit_suspended else "resume"
        return {name: text for name, text in self.row_actions.items() if name != idle}

    @list_action("Suspend the bandit", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        run = partial(_suspend, request)
        act = Act("Let a bandit's arms serve by fixed weights?", "Suspend the bandit", "Suspended", run)
        return act_with_reason(self, request, queryset.filter(bandit_suspended=False), act)

    @list_action("Let the bandit draw again", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        run = partial(_resume, request)
        act = Act("Let the bandit draw by what it learned?", "Let it draw", "Draws again", run)
        return act_with_reason(self, request, queryset.filter(bandit_suspended=True), act)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ServingPolicy, form: Any, change: bool) -> None:
        changed = change_policy(
            strategy=form.cleaned_data["strategy"],
            recipe=form.cleaned_data["recipe"],
            reason=form.cleaned_data["reason"],
            by=request.user,
            expected_version=form.cleaned_data["seen_version"],
        )
        obj.version = changed.version  # the admin's own message names it
        messages.info(request, "The new policy serves everybody within two seconds.")


def _suspend(request: HttpRequest, row: ServingPolicy, reason: str) -> None:
    suspend_bandit(reason=reason, by=request.user)


def _resume(request: HttpRequest, row: ServingPolicy, reason: str) -> None:
    resume_bandit(reason=reason, by=request.user)
