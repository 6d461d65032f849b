"""Addresses: the site's pages, the probes and metrics, the API below /api, the admin."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("apps.accounts.urls")),
    path("api/v1/", include("apps.bandits.urls")),
    path("api/v1/", include("apps.experiments.urls")),
    path("api/v1/", include("apps.training.urls")),
    path("api/v1/", include("apps.recommendations.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("", include("apps.monitoring.urls")),
    path("", include("apps.pages.urls")),
]

handler400 = "apps.pages.errors.bad_request"
handler403 = "apps.pages.errors.permission_denied"
handler404 = "apps.pages.errors.page_not_found"
handler500 = "apps.pages.errors.server_error"
