"""Settings: profile, look, password, sessions, and what is held of somebody."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.acting import caller_of
from apps.accounts.models import User
from apps.accounts.privacy import erase_user
from apps.accounts.services import (
    change_password,
    confirm_password,
    end_other_sessions,
    end_session,
    log_out,
    update_profile,
)
from apps.core.errors import ApplicationError, InvalidInput
from apps.pages.forms import first_error
from apps.pages.own_settings import own_sessions, tabs_of_settings
from apps.pages.redirects import next_path
from apps.pages.settings_forms import (
    ErasureForm,
    GuestErasureForm,
    PasswordForm,
    ProfileForm,
    SessionForm,
    ThemeForm,
    TimezoneForm,
)
from apps.pages.themes import Theme, keep_theme, theme_of
from apps.pages.views.accounts import FormPage
from apps.pages.visitors import speaking_viewer

_PROFILE = ("username", "email")
# The method first: what a page does not take is refused to everybody alike.
_form_methods = require_http_methods(["GET", "HEAD", "POST"])


class SettingsPage(FormPage):
    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return super().get_context_data(**context) | {"tabs": tabs_of_settings(self.request)}


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class ProfileView(SettingsPage):
    """For guests the form is not shown: their time zone and look are all there is."""

    template_name = "settings/profile.html"
    form_class = ProfileForm

    def get_initial(self) -> dict[str, Any]:
        user = self.request.user
        return {name: getattr(user, name) for name in _PROFILE} if isinstance(user, User) else {}

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        viewer = caller_of(self.request)
        zone = viewer.timezone if viewer else ""
        own = {"timezone_form": TimezoneForm(initial={"timezone": zone}), "themes": _themes(self.request)}
        return super().get_context_data(**context) | own

    def post(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect("login")
        return super().post(request, *args, **kwargs)

    def accept(self, values: dict[str, Any]) -> HttpResponse:
        user = _account(self.request)
        confirm_password(user=user, password=values["password"])
        # A value of before that today's rules would refuse stays as long as it is left alone.
        changed = {name: values[name] for name in _PROFILE if values[name] != getattr(user, name)}
        update_profile(user=user, **changed)
        messages.success(self.request, "Your profile is saved.")
        return redirect("settings")


@require_POST
def timezone(request: HttpRequest) -> HttpResponse:
    form = TimezoneForm(request.POST)
    try:
        update_profile(user=speaking_viewer(request), timezone=_said(form)["timezone"])
    except ApplicationError as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, "Your time zone is saved.")
    return redirect("settings")


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Kept by the browser: another device may be looked at in another light."""
    form = ThemeForm(request.POST)
    response = redirect(next_path(request, "settings"))
    if form.is_valid():
        keep_theme(response, Theme(form.cleaned_data["theme"]), secure=request.is_secure())
    return response


@method_decorator([_form_methods, sensitive_post_parameters(), never_cache, login_required], name="dispatch")
class PasswordView(SettingsPage):
    template_name = "settings/password.html"
    form_class = PasswordForm

    def accept(self, values: dict[str, Any]) -> HttpResponse:
        user = change_password(
            user=_account(self.request), current=values["current_password"], new=values["new_password"]
        )
        update_session_auth_hash(self.request, user)
        messages.success(self.request, "Your password is changed. Every other session has ended.")
        return redirect("settings-password")


@require_safe
@never_cache
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    own = own_sessions(request, _account(request))
    return render(request, "settings/sessions.html", {"own": own, "tabs": tabs_of_settings(request)})


@require_POST
@login_required
def end_one(request: HttpRequest) -> HttpResponse:
    form = SessionForm(request.POST)
    try:
        end_session(user=_account(request), handle=_said(form)["session"])
    except ApplicationError as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, "That session has ended.")
    return redirect("settings-sessions")


@require_POST
@login_required
def end_others(request: HttpRequest) -> HttpResponse:
    end_other_sessions(user=_account(request), kept=str(request.session.session_key))
    messages.success(request, "Every other session and token has ended.")
    return redirect("settings-sessions")


@require_safe
@never_cache
def own_data(request: HttpRequest) -> HttpResponse:
    context = {"tabs": tabs_of_settings(request), "is_known": caller_of(request) is not None}
    return render(request, "settings/data.html", context)


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class ErasureView(FormPage):
    """The answer itself says what was done: afterwards there is nobody to tell it to."""

    template_name = "settings/erase.html"

    def get_form_class(self) -> type[Form]:
        return ErasureForm if self.request.user.is_authenticated else GuestErasureForm

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return super().get_context_data(**context) | {"is_known": caller_of(self.request) is not None}

    def accept(self, values: dict[str, Any]) -> HttpResponse:
        viewer = caller_of(self.request)
        if viewer is None:
            return redirect("settings-data")
        if viewer.has_account:
            confirm_password(user=viewer, password=values["password"])
        erase_user(viewer, by=viewer)
        log_out(self.request)
        return render(self.request, "settings/erased.html")


def _said(form: Form) -> dict[str, Any]:
    """What was filled in; ``InvalidInput`` for what no form of ours sends."""
    if not form.is_valid():
        raise InvalidInput(first_error(form))
    return form.cleaned_data


def _account(request: HttpRequest) -> User:
    """Behind ``login_required``: guests and programs have no session."""
    return cast(User, request.user)


def _themes(request: HttpRequest) -> list[dict[str, Any]]:
    chosen = theme_of(request)
    return [{"value": one.value, "label": one.label, "is_on": one is chosen} for one in Theme]
