"""Sign-up, log-in, log-out and a new password."""

from django.contrib import messages
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
from apps.core.rates import enforce
from apps.pages.forms import LogInForm, NewPasswordForm, ResetForm, SignUpForm, add_refusal
from apps.pages.redirects import next_path


class FormPage(FormView):  # type: ignore[type-arg] # generic in its stub only
    """Django's takes a PUT as well, for an empty POST."""

    http_method_names = ["get", "head", "post", "options"]


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class SignUpView(FormPage):
    template_name = "accounts/sign_up.html"
    form_class = SignUpForm

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        try:
            enforce(
                "login_address", client_address(self.request), refusal="Too many sign-ups from this address"
            )
            user = register_account(**form.cleaned_data, guest=guest_of(self.request))
        except ApplicationError as refusal:
            add_refusal(form, refusal)
            return self.form_invalid(form)
        log_in(self.request, user)
        messages.success(self.request, f"Welcome, {user.username}. Your ratings are kept in your account.")
        return redirect(next_path(self.request, "home"))


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class LogInView(FormPage):
    template_name = "accounts/log_in.html"
    form_class = LogInForm

    def form_valid(self, form: LogInForm) -> HttpResponse:
        try:
            user = authenticate_account(**form.cleaned_data, address=client_address(self.request))
            log_in(self.request, user)
        except ApplicationError as refusal:
            add_refusal(form, refusal)
            return self.form_invalid(form)
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

    def form_valid(self, form: ResetForm) -> HttpResponse:
        try:
            request_password_reset(
                email=form.cleaned_data["email"],
                site_url=self.request.build_absolute_uri("/"),
                address=client_address(self.request),
            )
        except ApplicationError as refusal:
            add_refusal(form, refusal)
            return self.form_invalid(form)
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

    def form_valid(self, form: NewPasswordForm) -> HttpResponse:
        try:
            enforce(
                "login_address", client_address(self.request), refusal="Too many attempts from this address"
            )
            confirm_password_reset(
                uid=self.kwargs["uid"], token=self.kwargs["token"], password=form.cleaned_data["password"]
            )
        except ApplicationError as refusal:
            add_refusal(form, refusal)
            return self.form_invalid(form)
        messages.success(self.request, "Your new password is set: log in with it.")
        return redirect(reverse("login"))
