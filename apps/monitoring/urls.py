"""Addresses of the probes and of the metrics, at the root of the site."""

from django.urls import path

from apps.monitoring.api import MetricsView
from apps.monitoring.views import healthz, readyz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", MetricsView.as_view(), name="metrics"),
]
