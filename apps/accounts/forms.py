"""Forms of the admin. The rules are the services'."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from apps.accounts.keys import check_expiry
from apps.accounts.models import ApiKey
from apps.accounts.services import authenticate_account
from apps.accounts.services.rules import checked_username
from apps.core.address import client_address
from apps.core.errors import ApplicationError

# What a program can do with each scope, said where a key is made.
SCOPES = {
    ApiKey.Scope.ACT_FOR_USERS: "lists and feedback in the name of any viewer",
    ApiKey.Scope.CATALOG_WRITE: "add, change and hide films",
    ApiKey.Scope.ANALYTICS_READ: "opens nothing yet",
    ApiKey.Scope.METRICS_READ: "the figures at /metrics, for Prometheus",
}


class StaffLoginForm(AuthenticationForm):  # type: ignore[misc] # unfold ships no types
    """The admin's log-in, throttled by name and address like every other."""

    def clean(self) -> dict[str, Any]:
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if username and password:
            try:
                user = authenticate_account(
                    username=username, password=password, address=client_address(self.request)
                )
            except ApplicationError as refusal:
                raise ValidationError(refusal.detail) from None
            self.confirm_login_allowed(user)
            self.user_cache = user
        return dict(self.cleaned_data)


class NewUserForm(UserCreationForm):  # type: ignore[misc] # unfold ships no types
    class Meta:
        model = get_user_model()
        fields = ["username", "email"]

    def clean_username(self) -> str:
        """The index folds case, so the form must too."""
        try:
            username = checked_username(self.cleaned_data["username"])
        except ApplicationError as refusal:
            raise ValidationError(refusal.detail) from None
        if get_user_model().objects.named(username).exists():
            raise ValidationError(f"The username {username!r} is taken")
        return username


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg] # generic in its stub only
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, f"{scope.label} ({scope.value}): {says}") for scope, says in SCOPES.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="What the program may do. A key holds nothing else: no page, no admin.",
    )

    class Meta:
        model = ApiKey
        fields = ["name", "scopes", "expires_at"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        try:
            check_expiry(cleaned.get("expires_at"))
        except ApplicationError as refusal:
            self.add_error("expires_at", refusal.detail)
        return cleaned
