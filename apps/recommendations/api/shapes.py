"""Answers of this room as the schema describes them."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from apps.algorithms.context import PARTS
from apps.core.api.fields import FloatField, IdField, IntegerField
from apps.core.api.serializers import ProblemSerializer


class PathShape(serializers.Serializer[Any]):
    """What both films have. ``entity`` is null where no source names it."""

    relation = serializers.CharField()
    entity = serializers.CharField(allow_null=True)


class ReasonShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    movie_ids = serializers.ListField(child=IdField())
    text = serializers.CharField()
    genre = serializers.CharField(required=False)
    path = PathShape(required=False)


class SlotShape(serializers.Serializer[Any]):
    event_id = IdField(allow_null=True)
    movie_id = IdField()
    title = serializers.CharField()
    position = IntegerField(min_value=1)
    score = FloatField()
    algorithm = serializers.CharField()
    confidence = FloatField(allow_null=True)
    propensity = FloatField(allow_null=True)
    predicted_rating = FloatField(allow_null=True)
    reason = ReasonShape()


class ExperimentShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    layer = serializers.CharField()
    variant = serializers.CharField()


_CONTEXT = inline_serializer(
    "Context", {part: serializers.ChoiceField(choices=list(values)) for part, values in PARTS.items()}
)


class SlateShape(serializers.Serializer[Any]):
    """``recommendation_id`` and ``event_id`` are null for a visitor without a unit: nothing was logged."""

    recommendation_id = serializers.UUIDField(allow_null=True)
    user_id = IdField(allow_null=True)
    surface = serializers.CharField()
    strategy = serializers.CharField()
    recipe = serializers.CharField()
    model_version = serializers.CharField(allow_null=True)
    policy_version = IntegerField()
    experiment = inline_serializer(
        "StrategyExperiment",
        {"key": serializers.CharField(), "variant": serializers.CharField()},
        allow_null=True,
    )
    experiments = ExperimentShape(many=True)
    overridden_by = serializers.CharField(allow_null=True)
    degraded = serializers.CharField(allow_null=True)
    context = _CONTEXT  # type: ignore[assignment] # a field of that name shadows DRF's own attribute
    recommendations = SlotShape(many=True)


class SimilarShape(serializers.Serializer[Any]):
    movie_id = IdField()
    title = serializers.CharField()
    score = FloatField()
    reason = ReasonShape()


class MovieShape(serializers.Serializer[Any]):
    """``vote_average`` is 0 to 10: TMDB's where people voted there, else twice the Bayesian mean of the stars
    given here.
    """

    id = IdField()
    title = serializers.CharField()
    year = IntegerField(allow_null=True)
    genres = serializers.ListField(child=serializers.CharField())
    vote_average = FloatField(allow_null=True)
    vote_count = IntegerField()
    poster_url = serializers.URLField()


class OwnShape(serializers.Serializer[Any]):
    rating = FloatField(allow_null=True)
    favorite = serializers.BooleanField()
    watchlist = serializers.BooleanField()
    thumb = serializers.ChoiceField(choices=["up", "down"], allow_null=True)
    dismissed = serializers.BooleanField()
    predicted_rating = FloatField(allow_null=True)


class PersonShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    role = serializers.CharField()


class MovieDetailShape(MovieShape):
    original_title = serializers.CharField()
    overview = serializers.CharField()
    language = serializers.CharField()
    runtime = IntegerField(allow_null=True)
    people = PersonShape(many=True)
    keywords = serializers.ListField(child=serializers.CharField())
    tmdb_id = IntegerField(allow_null=True)
    imdb_id = serializers.CharField(allow_null=True)
    movielens_id = IntegerField(allow_null=True)
    is_available = serializers.BooleanField()
    my = OwnShape()


class LearningShape(serializers.Serializer[Any]):
    buffer_size = IntegerField()
    should_update = serializers.BooleanField()
    total_processed = IntegerField()


class ModelUpdateShape(serializers.Serializer[Any]):
    triggered = serializers.BooleanField()
    run_id = IdField()
    status_url = serializers.CharField()


class GivenShape(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["success"])
    feedback_id = IdField()
    event_id = IdField(allow_null=True)
    online_learning = LearningShape()
    model_update = ModelUpdateShape(allow_null=True)


class BatchItemShape(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["success", "refused"])
    is_new = serializers.BooleanField(required=False)
    feedback_id = IdField(required=False)
    event_id = IdField(required=False, allow_null=True)
    problem = ProblemSerializer(required=False)


class BatchShape(serializers.Serializer[Any]):
    """One answer for each event, in their order, and what the model has to learn after all of them."""

    results = BatchItemShape(many=True)
    online_learning = LearningShape()
    model_update = ModelUpdateShape(allow_null=True)


class PreferenceShape(serializers.Serializer[Any]):
    movie_id = IdField()
    title = serializers.CharField()
    changed_at = serializers.DateTimeField()


class RatingShape(PreferenceShape):
    rating = FloatField()
