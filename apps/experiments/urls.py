"""Addresses of experiments, below /api/v1/."""

from apps.core import converters  # noqa: F401 - makes <id:…> known
from apps.core.api.urls import api_path
from apps.experiments.api import experiments, groups, results

urlpatterns = [
    api_path("experiments", experiments.ExperimentsView),
    api_path("experiments/<slug:key>", experiments.ExperimentView),
    api_path("experiments/<slug:key>/results", results.ResultsView),
    api_path("analytics/experiments", results.RunningExperimentsView),
    api_path("users/<id:user_id>/experiment-group", groups.ExperimentGroupView),
]
