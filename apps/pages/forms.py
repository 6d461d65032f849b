"""What pages accept. Rules of the domain are the services': their refusals become form errors."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict

from apps.catalog.filters import FIRST_YEAR, LAST_YEAR, MAX_GENRE_NAME, MAX_GENRES, FilmFilter, genre_names
from apps.core.errors import ApplicationError
from apps.events.models import Kind

LARGEST_ID = 2**63 - 1
# A view is recorded by opening the film's page, a click by the link that led there.
SAID_BY_FORM = [kind for kind in Kind if kind not in {Kind.VIEW, Kind.CLICK}]
NO_STARS = "Choose how many stars first."


class FeedbackForm(forms.Form):
    """One thing said of a film. ``client_id`` comes with the form, so a double click says it once."""

    kind = forms.ChoiceField(choices=[(kind.value, kind.value) for kind in SAID_BY_FORM])
    value = forms.FloatField(required=False)
    event_id = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    client_id = forms.RegexField(r"\A[0-9a-f]{32}\Z")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        kind = cleaned.get("kind")
        if kind == Kind.RATE and not cleaned.get("value") and "value" not in self.errors:
            self.add_error("value", NO_STARS)
        elif kind is not None and kind != Kind.RATE:
            cleaned["value"] = None
        return cleaned

    @property
    def act_id(self) -> str:
        """Tells this act from every other; another button or star of the same form is another act."""
        said = self.cleaned_data
        stars = "" if said["value"] is None else f":{said['value']:g}"
        return f"{said['client_id']}:{said['kind']}{stars}"

    @property
    def first_error(self) -> str:
        return first_error(self)


class SearchForm(forms.Form):
    """``GET /search``. What cannot be read is left out rather than refused."""

    q = forms.CharField(required=False, max_length=200, strip=True)

    @property
    def text(self) -> str:
        self.full_clean()
        return str(self.cleaned_data.get("q", ""))


class SurpriseForm(forms.Form):
    """``GET /surprise``."""

    after = forms.UUIDField(
        required=False,
        error_messages={"invalid": "This address names no list of surprises. Begin with a new one."},
    )

    @property
    def after_id(self) -> UUID | None:
        """The list that another is wanted after; None for the first, and where it cannot be read."""
        self.full_clean()
        return self.cleaned_data.get("after")

    @property
    def first_error(self) -> str:
        return first_error(self)


class BrowseForm(forms.Form):
    """``GET /browse``: the filters of ``GET /movies``, and genres as often as one likes.

    What cannot be read is left out, and said beside its field.
    """

    year_min = forms.IntegerField(
        required=False, min_value=FIRST_YEAR, max_value=LAST_YEAR, label="From year"
    )
    year_max = forms.IntegerField(required=False, min_value=FIRST_YEAR, max_value=LAST_YEAR, label="To year")
    language = forms.RegexField(r"\A[A-Za-z]{2,8}\Z", required=False)

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query)
        self._query = query

    @property
    def wanted(self) -> FilmFilter:
        self.full_clean()
        said = self.cleaned_data
        return FilmFilter(
            genres=self._names("genre"),
            exclude_genres=self._names("exclude_genre"),
            year_min=said.get("year_min"),
            year_max=said.get("year_max"),
            language=said.get("language", "").lower(),
        )

    @property
    def ordering(self) -> str:
        return self._query.get("ordering", "")

    def _names(self, parameter: str) -> tuple[str, ...]:
        readable = (text.replace("\x00", "") for text in self._query.getlist(parameter))
        names = genre_names(readable)
        return tuple(name for name in names if len(name) <= MAX_GENRE_NAME)[:MAX_GENRES]


class SignUpForm(forms.Form):
    username = forms.CharField(
        max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"})
    )
    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 8 characters, and nothing that is easy to guess.",
    )
    email = forms.CharField(
        required=False,
        max_length=254,
        label="Email (optional)",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text="Only to set a new password when you have forgotten yours.",
    )


class LogInForm(forms.Form):
    username = forms.CharField(
        max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"})
    )
    password = forms.CharField(
        strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class ResetForm(forms.Form):
    email = forms.CharField(max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}))


class NewPasswordForm(forms.Form):
    password = forms.CharField(
        strip=False,
        label="New password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 8 characters, and nothing that is easy to guess.",
    )


def first_error(form: forms.Form) -> str:
    """For a form that is not drawn again with what is wrong beside each field."""
    return str(next(message for messages in form.errors.values() for message in messages))


def add_refusal(form: forms.Form, refusal: ApplicationError) -> None:
    """Puts a service's refusal beside the fields that it names, else above the form."""
    named = [(error.pointer.lstrip("/"), error.detail) for error in refusal.errors]
    for name, detail in named or [("", refusal.detail)]:
        form.add_error(name if name in form.fields else None, detail)
