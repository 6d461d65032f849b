"""Sign-up, log-in, log-out and a new password."""

from abc import ABC, abstractmethod
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe
from django.views.generic import FormView

from apps.accounts.services import (
    authenticate_account,
    confirm_password_reset,
    log_in,
    log_out,
    register_account,
    request_password_reset,
)
from apps.accounts.services.passwords import user_of_reset_link
from apps.accounts.units import guest_of
from apps.core.address import client_address
from apps.core.errors import ApplicationError
from apps.pages.forms import LogInForm, NewPasswordForm, ResetForm, SignUpForm, add_refusal
from apps.pages.redirects import next_path
from apps.pages.welcome import has_first_films


class FormPage(FormView, ABC):  # type: ignore[type-arg] # generic in its stub only
    """What ``accept`` refuses stands on the page, beside what was filled in."""

    # Django's takes a PUT as well, for an empty POST.
    http_method_names = ["get", "head", "post", "options"]

    @abstractmethod
    def accept(self, values: dict[str, Any]) -> HttpResponse:
        """Does what was filled in, or raises an ``ApplicationError``."""

    def form_valid(self, form: Form) -> HttpResponse:
        try:
            return self.accept(form.cleaned_data)
        except ApplicationError as refusal:
            add_refusal(form, refusal)
            return self.form_invalid(form)


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class SignUpView(FormPage):
    template_name = "accounts/sign_up.html"
    form_class = SignUpForm

    def accept(self, values: dict[str, Any]) -> HttpResponse:
        guest, address = guest_of(self.request), client_address(self.request)
        user = register_account(**values, guest=guest, address=address)
        log_in(self.request, user)
        messages.success(self.request, f"Welcome, {user.username}. Your ratings are kept in your account.")
        return redirect(next_path(self.request, "home" if has_first_films(user) else "welcome"))


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class LogInView(FormPage):
    template_name = "accounts/log_in.html"
    form_class = LogInForm

    def accept(self, values: dict[str, Any]) -> HttpResponse:
        log_in(self.request, authenticate_account(**values, address=client_address(self.request)))
        return redirect(next_path(self.request, "home"))


@require_POST
def log_out_view(request: HttpRequest) -> HttpResponse:
    log_out(request)
    messages.info(request, "You are logged out.")
    return redirect("home")


@method_decorator(never_cache, name="dispatch")
class ResetView(FormPage):
    """Asks for the address. The answer never tells whether an account has it."""

    template_name = "accounts/reset.html"
    form_class = ResetForm

    def accept(self, values: dict[str, Any]) -> HttpResponse:
        site_url = self.request.build_absolute_uri("/")
        request_password_reset(**values, site_url=site_url, address=client_address(self.request))
        return redirect("password-reset-sent")


@require_safe
def reset_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/reset_sent.html")


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class NewPasswordView(FormPage):
    """Where the mailed link leads."""

    template_name = "accounts/new_password.html"
    form_class = NewPasswordForm

    def get(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        try:
            user_of_reset_link(**kwargs)
        except ApplicationError as refusal:
            messages.error(request, refusal.detail)
            return redirect("password-reset")
        return super().get(request, *args, **kwargs)

    def accept(self, values: dict[str, Any]) -> HttpResponse:
        confirm_password_reset(**self.kwargs, **values, address=client_address(self.request))
        messages.success(self.request, "Your new password is set: log in with it.")
        return redirect(reverse("login"))
