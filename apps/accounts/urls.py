"""Addresses of accounts, below /api/v1/."""

from apps.accounts.api import schema  # noqa: F401 - registers itself, where a document can be asked for
from apps.accounts.api.accounts import (
    PasswordChangeView,
    PasswordResetConfirmView,
    PasswordResetView,
    RegisterView,
)
from apps.accounts.api.me import ExportView, MeView
from apps.accounts.api.tokens import TokenBlacklistView, TokenRefreshView, TokenView
from apps.core.api.urls import api_path

urlpatterns = [
    api_path("auth/token", TokenView),
    api_path("auth/token/refresh", TokenRefreshView),
    api_path("auth/token/blacklist", TokenBlacklistView),
    api_path("auth/register", RegisterView),
    api_path("auth/password/change", PasswordChangeView),
    api_path("auth/password/reset", PasswordResetView),
    api_path("auth/password/reset/confirm", PasswordResetConfirmView),
    api_path("me", MeView),
    api_path("me/export", ExportView),
]
