"""What answers about experiments look like, for the OpenAPI document."""

from typing import Any

from rest_framework import serializers


class RangeShape(serializers.Serializer[Any]):
    start = serializers.FloatField()
    end = serializers.FloatField(help_text="Left out of the range, unless it is 1")


class VariantShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    weight = serializers.FloatField()
    is_control = serializers.BooleanField()


class SummaryShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    layer = serializers.CharField(help_text="What its variants decide: strategy or recipe")
    state = serializers.CharField(help_text="draft, running, paused, completed or rolled_back")
    range = RangeShape(help_text="Its part of the layer")
    coverage = serializers.FloatField(help_text="The part of its range that takes part now")
    day = serializers.IntegerField(allow_null=True, help_text="Since its phase began, up to the horizon")
    horizon_days = serializers.IntegerField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    variants = VariantShape(many=True)


class VariantDesignShape(VariantShape):
    strategy = serializers.DictField(allow_null=True)
    recipe = serializers.CharField(allow_blank=True)
    description = serializers.CharField(allow_blank=True)


class DesignShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    layer = serializers.CharField()
    variants = VariantDesignShape(many=True)
    goals = serializers.ListField(child=serializers.CharField(), help_text="The first decides")
    guardrails = serializers.DictField(
        child=serializers.FloatField(), help_text="How much worse is too much, by metric"
    )
    hypothesis = serializers.CharField(allow_blank=True)
    range_start = serializers.FloatField()
    range_end = serializers.FloatField()
    segments = serializers.ListField(child=serializers.CharField())
    languages = serializers.ListField(child=serializers.CharField())
    age_from_days = serializers.FloatField(allow_null=True)
    age_to_days = serializers.FloatField(allow_null=True)
    min_effect = serializers.FloatField()
    alpha = serializers.FloatField()
    power = serializers.FloatField()
    test = serializers.CharField(help_text="planned or any_time")
    horizon_days = serializers.IntegerField()
    ramp = serializers.ListField(child=serializers.DictField())
    only_differing = serializers.BooleanField()
    dry_run = serializers.BooleanField()


class PhaseShape(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    digest = serializers.CharField(help_text="SHA-256 of the plan's canonical JSON")
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    begun_by = serializers.CharField(allow_blank=True, help_text="Empty for the command line")
    reason = serializers.CharField(allow_blank=True)
    plan = serializers.DictField(help_text="All that serves and decides, as it was frozen")


class StandingShape(serializers.Serializer[Any]):
    step = serializers.IntegerField(help_text="From 1")
    n_steps = serializers.IntegerField()
    coverage = serializers.FloatField()
    since = serializers.DateTimeField()
    waits_for = serializers.ListField(
        child=serializers.CharField(), help_text="What its step asks for before the next one"
    )
    held_by = serializers.ListField(
        child=serializers.CharField(), help_text="What keeps it whatever its steps ask for"
    )


class EntryShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    phase = serializers.IntegerField()
    step = serializers.IntegerField(help_text="That stands from here on, from 1")
    at = serializers.DateTimeField()
    by = serializers.CharField(allow_blank=True, help_text="Empty for a rule and the command line")
    reason = serializers.CharField(allow_blank=True)
    acted = serializers.BooleanField(help_text="False for what a rule would have done in a dry run")


class WholeExperimentShape(SummaryShape):
    design = DesignShape(help_text="As staff said it, and as an import takes it")
    planned_units = serializers.FloatField(
        allow_null=True, help_text="That all variants together are to have at the horizon"
    )
    version = serializers.IntegerField()
    created_by = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    phase = PhaseShape(allow_null=True, help_text="The open one, or the last")
    ramp = StandingShape(allow_null=True, help_text="Null where nothing serves, nor may again")
    ledger = EntryShape(many=True, help_text="The newest 50, the last first")


# --- What they say -------------------------------------------------------------------------------


class EffectShape(serializers.Serializer[Any]):
    effect = serializers.FloatField(allow_null=True, help_text="Null where nothing can be said yet")
    interval = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, help_text="Of the effect, low and high"
    )
    p_value = serializers.FloatField(allow_null=True)


class FixedEffectShape(EffectShape):
    readable_at = serializers.DateTimeField(
        allow_null=True, help_text="Before it p and interval are null; null where it is never reached"
    )


class ComparisonShape(serializers.Serializer[Any]):
    metric = serializers.CharField()
    title = serializers.CharField()
    variant = serializers.CharField()
    control_value = serializers.FloatField(allow_null=True)
    treatment_value = serializers.FloatField(allow_null=True)
    is_relative = serializers.BooleanField(
        help_text="Whether effects are relative to control, or differences of the values"
    )
    any_time = EffectShape(help_text="May be read at every look")


class LookShape(serializers.Serializer[Any]):
    day = serializers.IntegerField(help_text="Of the phase, from 1")
    fraction = serializers.FloatField(help_text="Of the information that was planned")
    z = serializers.FloatField()
    bound = serializers.FloatField(
        allow_null=True, help_text="How far from 0 z has to stand; null where nothing is far enough"
    )
    is_crossed = serializers.BooleanField()


class GoalShape(ComparisonShape):
    fixed = FixedEffectShape(help_text="May be read once, at the horizon")
    adjusted = FixedEffectShape(
        allow_null=True, help_text="The same less what units differed by before (CUPED)"
    )
    p_adjusted = serializers.FloatField(
        allow_null=True, help_text="Holm's, over all goals and treatments, of what may be read now"
    )
    is_sure = serializers.BooleanField(help_text="It differs, by the test that was planned")
    chance_to_beat = serializers.FloatField(allow_null=True, help_text="Decides nothing")
    looks = LookShape(many=True)


class GuardrailShape(ComparisonShape):
    margin = serializers.FloatField(help_text="How much worse is too much")
    harm = serializers.FloatField(allow_null=True, help_text="How much worse it is")
    is_broken = serializers.BooleanField()


class SampleRatioShape(serializers.Serializer[Any]):
    observed = serializers.DictField(child=serializers.FloatField(), help_text="Units by variant")
    expected = serializers.DictField(child=serializers.FloatField())
    p_value = serializers.FloatField(allow_null=True)
    mismatch = serializers.BooleanField()


class VerdictShape(serializers.Serializer[Any]):
    outcome = serializers.CharField(
        help_text="unhealthy, roll_back, ship, keep_control, no_difference or wait"
    )
    variant = serializers.CharField(allow_blank=True, help_text="That it is about; empty for all")
    sentence = serializers.CharField()
    why_not = serializers.ListField(child=serializers.CharField())


class SegmentEffectShape(serializers.Serializer[Any]):
    metric = serializers.CharField()
    variant = serializers.CharField()
    control_value = serializers.FloatField(allow_null=True)
    treatment_value = serializers.FloatField(allow_null=True)
    effect = serializers.FloatField(allow_null=True)


class SegmentShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    units = serializers.DictField(child=serializers.FloatField(), help_text="By variant")
    effects = SegmentEffectShape(many=True, help_text="A description: nothing is tested in a segment")


class ResultsShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    state = serializers.CharField()
    phase = serializers.IntegerField()
    day = serializers.IntegerField()
    horizon_days = serializers.IntegerField()
    verdict = VerdictShape()
    sample_ratio = SampleRatioShape()
    goals = GoalShape(many=True)
    guardrails = GuardrailShape(many=True)
    segment = SegmentShape(allow_null=True, help_text="That was asked for")


class RunningShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    layer = serializers.CharField()
    day = serializers.IntegerField()
    horizon_days = serializers.IntegerField()
    sentence = serializers.CharField(help_text="What to do, and by which figures")
    outcome = serializers.CharField(allow_null=True, help_text="Null where its plan cannot be read")
    sample_ratio = SampleRatioShape(allow_null=True)
    effects = ComparisonShape(many=True, help_text="Of each goal and treatment")


class GroupShape(serializers.Serializer[Any]):
    user_id = serializers.IntegerField()
    group_name = serializers.CharField(allow_null=True, help_text="The variant; null for who is not in it")
    model = serializers.CharField(
        allow_null=True, help_text="What the variant serves: an arm, bandit, fixed, or a recipe"
    )
    experiment_name = serializers.CharField()
    in_experiment = serializers.BooleanField()
    reason = serializers.CharField()
