"""The form of an experiment, and the row of it for each variant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from apps.algorithms.registry import ARMS
from apps.algorithms.strategy import parse_strategy
from apps.core.admin.json_fields import StrictJSONField
from apps.experiments.metrics import GOALS, GUARDRAILS, METRICS, default_guardrails
from apps.experiments.models import Experiment, Layer
from apps.experiments.policy import current_policy
from apps.experiments.requirements import recipe_names
from apps.experiments.services import VariantDesign
from apps.experiments.services.designing import SEGMENTS

BANDIT, CURRENT = "bandit", "current"
"""What a variant may be said to serve, besides the name of one arm."""
GROUPS: Mapping[str, tuple[str, ...]] = {
    "What is tested": ("key", "name", "hypothesis", "layer", "pinned_recipe"),
    "What should get better": ("goals", "first_goal", "min_effect"),
    "How long it takes": ("test", "horizon_days", "alpha", "power"),
    "What may not get worse": ("guardrails", "ramp", "dry_run"),
    "Who takes part": (
        "range_start",
        "range_end",
        "segments",
        "languages",
        "age_from_days",
        "age_to_days",
        "only_differing",
    ),
}


def serving_choices() -> list[tuple[str, str]]:
    alone = [(name, f"{name} alone") for name in sorted(ARMS)]
    return [("", "As written below"), (CURRENT, "What serves everybody now"), (BANDIT, "The bandit"), *alone]


def serving_of(chosen: str) -> Mapping[str, Any]:
    """The strategy, in full."""
    if chosen == CURRENT:
        return current_policy().strategy.to_json()
    said = {"policy": "bandit"} if chosen == BANDIT else {"policy": "fixed", "arms": {chosen: 1}}
    return parse_strategy(said, ARMS).to_json()


def recipe_choices(none: str) -> list[tuple[str, str]]:
    return [("", none), *((name, name) for name in sorted(set(recipe_names())))]


def chosen_of(strategy: Mapping[str, Any] | None) -> str:
    """The choice that stands for a strategy; empty where none does."""
    known = [name for name, _ in serving_choices() if name not in ("", CURRENT)]
    return next((name for name in known if serving_of(name) == strategy), "")


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
    pinned_recipe = forms.ChoiceField(
        required=False,
        help_text="Of strategies: whose model serves everybody in it, whatever is rolled out meanwhile.",
    )
    goals = forms.MultipleChoiceField(
        choices=[(name, METRICS[name].title) for name in GOALS],
        initial=["ctr"],
        help_text="What should get better. The deciding goal is one of them, chosen here or not.",
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
        help_text="Of fixed strategies: finds more, and makes each list once for every variant, which costs"
        " about half a list's time for each.",
    )
    dry_run = forms.BooleanField(
        required=False, label="Dry run", help_text="Says when it would roll back, and does not."
    )
    reason = forms.CharField(
        required=False, max_length=500, help_text="For a change of what runs. It goes into the audit."
    )
    assumed_share = forms.FloatField(
        required=False,
        min_value=0.0001,
        max_value=0.9999,
        label="Share taken to be",
        help_text="Only for “How long does it take?”, where the log tells too little: the part of units that"
        " reach the deciding goal at all, such as 0.1; for clicks, those that click something.",
    )
    assumed_units = forms.FloatField(
        required=False,
        min_value=0.01,
        max_value=1e9,
        label="New units a day taken to be",
        help_text="With the share, and only together with it.",
    )
    viewer = forms.CharField(
        required=False,
        max_length=150,
        label="Viewer",
        help_text="Only for “Show the lists”: a name or a number. Nothing is logged.",
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["pinned_recipe"].choices = recipe_choices("The policy's, or a rollout's")  # type: ignore[attr-defined] # a choice field

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        share, units = given.get("assumed_share"), given.get("assumed_units")
        known = "assumed_share" not in self.errors and "assumed_units" not in self.errors
        if known and (share is None) != (units is None):
            missing = "assumed_share" if share is None else "assumed_units"
            self.add_error(missing, "Give both, the share and the units, or neither.")
        effect = given.get("min_effect")
        if share is not None and effect is not None and share * (1 + effect) >= 1:
            said = f"Of {share:g} an effect of {effect:.0%} would be more than all units: take a smaller one."
            self.add_error("assumed_share", said)
        return given

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields that say what is designed, by heading."""
        return [(title, [self[name] for name in names]) for title, names in GROUPS.items()]


_FILLED = ("weight", "is_control", "serves", "strategy", "recipe", "description")


class VariantForm(forms.Form):
    name = forms.SlugField(required=False, max_length=60)
    weight = forms.FloatField(
        required=False, min_value=0, max_value=1, help_text="Of all units that take part: 0.5 is half."
    )
    is_control = forms.BooleanField(required=False, label="Control")
    serves = forms.ChoiceField(
        required=False, choices=serving_choices, help_text="Of strategies: what makes the lists."
    )
    strategy = StrictJSONField(
        required=False,
        initial=None,
        widget=forms.Textarea({"rows": 3}),
        help_text='A strategy of your own, such as {"policy": "fixed", "arms": {"als": 0.7, "svd": 0.3}}.',
    )
    recipe = forms.ChoiceField(required=False, help_text="Of recipes: whose model serves.")
    description = forms.CharField(required=False, max_length=200)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        # Else a row that says what it said before would be taken for one that was not filled in.
        super().__init__(*arguments, **{**options, "empty_permitted": False})
        self.fields["recipe"].choices = recipe_choices("–")  # type: ignore[attr-defined] # a choice field

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("serves") and given.get("strategy"):
            self.add_error("strategy", "Choose what serves, or write a strategy of your own, not both.")
        if not given.get("name") and any(given.get(name) for name in _FILLED):
            self.add_error("name", "Name the variant, or empty its row.")
        return given

    def design(self) -> VariantDesign | None:
        """None for a row that names nothing."""
        given = self.cleaned_data
        if not given.get("name"):
            return None
        chosen = given.get("serves")
        return VariantDesign(
            name=given["name"],
            weight=given.get("weight") or 0.0,
            is_control=given["is_control"],
            strategy=serving_of(chosen) if chosen else given.get("strategy") or None,
            recipe=given.get("recipe") or "",
            description=given.get("description") or "",
        )


VariantForms = forms.formset_factory(VariantForm, extra=0)


@dataclass(frozen=True)
class Refusal:
    """One thing that is wrong with a form; ``anchor`` is the id of its field, empty for all of it."""

    said: str
    label: str = ""
    anchor: str = ""


def refusals_of(shown: Sequence[forms.Form]) -> list[Refusal]:
    """All that is wrong, in the order of the fields: for the top of a page of several screens."""
    found = []
    for form in shown:
        found += [Refusal(str(said)) for said in form.non_field_errors()]
        for field in form:
            found += [Refusal(str(said), str(field.label), field.id_for_label) for said in field.errors]
    return found
