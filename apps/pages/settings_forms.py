"""What the settings accept. Which values are good enough, the services say."""

from functools import cache
from typing import Any

from django import forms

from apps.accounts.timezones import zone_names
from apps.pages.themes import Theme

AREAS = "Africa America Antarctica Arctic Asia Atlantic Australia Europe Indian Pacific".split()
CONFIRMATION = "erase"


@cache
def zone_choices() -> list[tuple[str, Any]]:
    """Zones by area, as a choice shows them: ``America/New_York`` is “New York” of America."""
    groups: list[tuple[str, Any]] = [("", "As this browser says"), ("UTC", "UTC")]
    for area in AREAS:
        names = sorted(name for name in zone_names() if name.startswith(f"{area}/"))
        groups.append((area, [(name, _city(name)) for name in names]))
    return groups


def _city(name: str) -> str:
    return name.partition("/")[2].replace("/", ", ").replace("_", " ")


class TimezoneForm(forms.Form):
    timezone = forms.CharField(required=False, max_length=64, label="Your time zone", widget=forms.Select)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["timezone"].widget.choices = zone_choices()


class ThemeForm(forms.Form):
    theme = forms.ChoiceField(choices=Theme.choices)


class ProfileForm(forms.Form):
    username = forms.CharField(
        max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"})
    )
    email = forms.CharField(
        required=False,
        max_length=254,
        label="Email (optional)",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text="Only to set a new password when you have forgotten yours.",
    )
    password = forms.CharField(
        strip=False,
        label="Your password",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text="So that nobody else changes these on a screen that you left open.",
    )


class PasswordForm(forms.Form):
    current_password = forms.CharField(
        strip=False,
        label="Your password now",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new_password = forms.CharField(
        strip=False,
        label="Your new password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 8 characters, and nothing that is easy to guess.",
    )


class SessionForm(forms.Form):
    session = forms.UUIDField()


class GuestErasureForm(forms.Form):
    confirmation = forms.CharField(
        max_length=20,
        label=f"Type {CONFIRMATION} to confirm",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )

    def clean_confirmation(self) -> str:
        typed = str(self.cleaned_data["confirmation"])
        if typed.strip().casefold() != CONFIRMATION:
            raise forms.ValidationError(
                f"Type the word {CONFIRMATION}, so that this does not happen by mistake."
            )
        return typed


class ErasureForm(GuestErasureForm):
    password = forms.CharField(
        strip=False,
        label="Your password",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
