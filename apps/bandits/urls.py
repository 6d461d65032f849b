"""Addresses of the bandit, below /api/v1/."""

from apps.bandits import api
from apps.core.api.urls import api_path

urlpatterns = [
    api_path("analytics/bandit-state", api.BanditStateView),
    api_path("analytics/bandit/stats", api.BanditStatsView),
    api_path("analytics/off-policy", api.OffPolicyView),
]
