"""The ledger of all experiments, who was put in by hand, and the holdout."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.core.admin import ExplainedAdmin, LogAdmin, ReadOnlyAdmin
from apps.core.admin.asking import Act, act_with_reason
from apps.core.admin.columns import column, list_action
from apps.core.errors import ApplicationError
from apps.experiments.models import Decision, Holdout, Override
from apps.experiments.services import change_holdout, remove_override, replay_decision, undo
from apps.experiments.services.life import can_be_undone

MOST_REPLAYS = 20
ROLL_BACK = "experiments.roll_back_experiment"
OVERRIDE = "experiments.override_experiment"


@admin.register(Decision)
class DecisionAdmin(LogAdmin):
    group, icon, rank = "Experiments", "history", 1
    about = (
        "What was done to experiments, by whom or by the rule that watches them, and from which figures:"
        " Judge again (manage.py ab_replay ID) makes the verdict from them once more."
    )
    empty = "Start an experiment: its start is the first entry."
    list_display = ["id", "experiment", "kind", "said_by", "step", "acted", "at", "reason"]
    list_filter = ["kind", "acted"]
    list_select_related = ["experiment"]
    named = ("experiment",)
    explanations = {
        "step": "Of the ramp, from 0, which stands from here on.",
        "acted": "Not, for what the rule would have done in a dry run.",
        "figures": "The sufficient statistics of that moment: sums over units.",
        "verdict": "What the rule finds in them.",
        "policy": "What a shipped variant came in the place of.",
    }
    actions = ["undo", "judge_again"]
    row_actions = {"undo": "Undo", "judge_again": "Judge again"}

    def row_actions_of(self, row: Any) -> Mapping[str, str]:
        """Only what could do anything."""
        idle = set() if can_be_undone(row) else {"undo"}
        idle |= set() if row.figures else {"judge_again"}
        return {name: text for name, text in self.row_actions.items() if name not in idle}

    @column("By", ordering="by")
    def said_by(self, decision: Decision) -> str:
        return decision.told_by

    def has_undo_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(ROLL_BACK))

    @list_action("Judge again", permissions=["view"])
    def judge_again(self, request: HttpRequest, queryset: Any) -> None:
        if queryset.count() > MOST_REPLAYS:
            messages.error(request, f"Choose at most {MOST_REPLAYS} entries at a time.")
            return
        for decision in queryset.order_by("-id"):
            try:
                found = replay_decision(decision.pk)
            except ApplicationError as refusal:
                messages.warning(request, refusal.detail)
                continue
            entry, sentence = f"Entry {decision.pk}", found.verdict["sentence"]
            if found.differing:
                messages.error(request, f"{entry} comes out otherwise: {', '.join(found.differing)} differ.")
            else:
                messages.success(request, f"{entry} comes out the same, to the last digit: {sentence}")

    @list_action("Undo", permissions=["undo"])
    def undo(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        act = Act("Take back what was done?", "Undo", "Undone", partial(_undo, request))
        return act_with_reason(self, request, queryset, act)


@admin.register(Override)
class OverrideAdmin(ReadOnlyAdmin):
    group, icon, rank = "Experiments", "person_pin", 2
    about = "Units that get a variant whatever their hash says. They count in nothing."
    empty = "On an experiment's page 'Where a viewer stands' a viewer can be put into a variant."
    list_display = ["experiment", "variant", "unit_key", "created_by", "created_at", "reason"]
    list_filter = ["experiment"]
    list_select_related = ["experiment"]
    actions = ["remove"]
    row_actions = {"remove": "Take out"}

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(OVERRIDE))

    @list_action("Take the selected units out", permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        act = Act("Take them out of their variants?", "Take out", "Taken out", partial(_remove, request))
        return act_with_reason(self, request, queryset, act)


class HoldoutForm(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    reason = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}), help_text="Goes into the audit"
    )

    class Meta:
        model = Holdout
        fields = ["share", "reason"]

    def clean_share(self) -> float:
        share = float(self.cleaned_data["share"])
        if not 0 <= share <= Holdout.MOST:
            raise forms.ValidationError(f"A holdout is a share from 0 to {Holdout.MOST:g}.")
        return share


@admin.register(Holdout)
class HoldoutAdmin(ExplainedAdmin):
    group, icon, rank = "Experiments", "front_hand", 3
    about = "The share of all units that is in no experiment. A change is in effect within two seconds."
    empty = "Run manage.py migrate: it brings the holdout, of nobody."
    form = HoldoutForm
    explanations = {"share": "0 to 0.5. Who is in it stays in it when it grows."}
    list_display = ["__str__", "changed_at", "changed_by", "reason"]
    readonly_fields = ("changed_at", "changed_by")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Holdout, form: Any, change: bool) -> None:
        given = form.cleaned_data
        change_holdout(share=given["share"], by=request.user, reason=given["reason"])


def _undo(request: HttpRequest, decision: Decision, reason: str) -> None:
    undo(decision_id=decision.pk, by=request.user, reason=reason)


def _remove(request: HttpRequest, row: Override, reason: str) -> None:
    remove_override(override_id=row.pk, by=request.user, reason=reason)
