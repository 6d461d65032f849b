"""Steering what serves everybody."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.core.errors import ApplicationError
from apps.experiments.models import ServingPolicy
from apps.experiments.services import change_policy, check_policy


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

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "strategy" in cleaned:
            try:
                check_policy(strategy=cleaned["strategy"], expected_version=cleaned.get("seen_version"))
            except ApplicationError as refusal:
                raise forms.ValidationError(refusal.detail) from refusal
        return cleaned


@admin.register(ServingPolicy)
class ServingPolicyAdmin(ModelAdmin):  # type: ignore[misc] # unfold ships no types
    form = ServingPolicyForm
    list_display = ("__str__", "strategy", "recipe", "bandit_suspended", "changed_at", "changed_by")
    readonly_fields = ("version", "bandit_suspended", "changed_at", "changed_by")

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
