"""The API of accounts alone."""

from django.urls import include, path

urlpatterns = [path("api/v1/", include("apps.accounts.urls"))]
