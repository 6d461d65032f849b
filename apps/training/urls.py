"""Addresses of learning, below /api/v1/."""

from apps.core import converters  # noqa: F401 - makes <id:…> known
from apps.core.api.urls import api_path
from apps.training import api

urlpatterns = [
    api_path("learning/stats", api.LearningStatsView),
    api_path("learning/trigger-update", api.TriggerUpdateView),
    api_path("analytics/model/updates", api.ModelUpdatesView),
    api_path("analytics/model/force-update", api.ForceUpdateView),
    api_path("training/runs/<id:run_id>", api.RunView),
]
