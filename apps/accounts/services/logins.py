"""Checking a name and a password, and the browser's session."""

import hashlib

from django.contrib.auth import login, logout
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from apps.accounts.models import User
from apps.accounts.services.guests import merge_guest
from apps.accounts.units import guest_of, visit_of
from apps.core.errors import CredentialsRefused
from apps.core.rates import enforce

_BACKEND = "django.contrib.auth.backends.ModelBackend"


def authenticate_account(*, username: str, password: str, address: str) -> User:
    """The account of that name and password. Text and work tell nobody which names exist."""
    enforce("login_address", address, refusal="Too many attempts to log in from this address")
    count_attempt(username)
    user = User.objects.with_account().named(User.normalize_username(username)).first()
    if user is None:
        make_password(password)  # an unknown name costs one hash, like a known one
        matches = False
    else:
        matches = user.check_password(password)
    if user is None or not matches or not user.is_active:
        raise CredentialsRefused("The username or the password is wrong")
    return user


def count_attempt(username: str) -> None:
    """Counts one guess at the password of that name, in any case; ``TooMany`` beyond the rate."""
    folded = User.normalize_username(username).casefold()
    enforce(
        "login_name",
        hashlib.sha256(folded.encode()).hexdigest(),
        refusal="Too many attempts to log in with this name",
    )


def log_in(request: HttpRequest, user: User) -> None:
    """Opens the session under a new key. The cookie's guest is merged; the cookie takes the
    account's unit.
    """
    guest = guest_of(request)
    login(request, user, backend=_BACKEND)
    adopt_guest(request, guest=guest, user=user)


def adopt_guest(request: HttpRequest, *, guest: User | None, user: User) -> None:
    """What a log-in of either kind does with the browser's guest, who may be this very account."""
    if guest is not None and guest.pk != user.pk:
        merge_guest(guest=guest, into=user)
    visit = visit_of(request)
    visit.guest = None
    if visit.cookie_key is not None:
        visit.keep(user.unit_key)


def log_out(request: HttpRequest) -> None:
    """Closes the session; the browser is a new visitor from here on."""
    logout(request)
    visit_of(request).renew()
