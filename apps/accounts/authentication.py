"""Who calls the API: a program's key, the browser's session, or a guest's cookie.

JSON web tokens are checked by Simple JWT's own class, which loads the user.
"""

from typing import NoReturn

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, CSRFCheck, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from apps.accounts.keys import find_api_key
from apps.accounts.models import ApiKey, User
from apps.accounts.units import visit_of
from apps.core.errors import CredentialsRefused

KEYWORD = "Api-Key"


class KeyUser(AnonymousUser):
    """Who ``request.user`` is while a program's key calls: nobody, with no permission of a user's."""


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Api-Key <key>``. ``request.auth`` is the ``ApiKey``."""

    def authenticate(self, request: Request) -> tuple[KeyUser, ApiKey] | None:
        words = request.headers.get("Authorization", "").split()
        if not words or words[0].lower() != KEYWORD.lower():
            return None
        if len(words) != 2:
            raise AuthenticationFailed("The header must read: Authorization: Api-Key <key>")
        try:
            return KeyUser(), find_api_key(words[1])
        except CredentialsRefused as refusal:
            raise AuthenticationFailed(refusal.detail) from None

    def authenticate_header(self, request: Request) -> str:
        return KEYWORD


class BrowserSessionAuthentication(SessionAuthentication):
    """The session of a signed-in browser; a write needs the CSRF token."""

    def enforce_csrf(self, request: Request | HttpRequest) -> None:
        enforce_csrf(request)


class GuestAuthentication(BaseAuthentication):
    """The signed unit cookie. A write needs the CSRF token even before the guest has a row."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        visit = visit_of(request._request)
        if visit.cookie_key is None:
            return None
        enforce_csrf(request)
        return (visit.guest, None) if visit.guest else None


def enforce_csrf(request: Request | HttpRequest) -> None:
    """Refuses a cookie's write that came without the CSRF token; reads pass."""
    check = CSRFCheck(_never_called)
    check.process_request(request)
    reason = check.process_view(request, _never_called, (), {})
    if reason:
        raise PermissionDenied(
            f"The CSRF check failed: {reason} Send the value of the csrftoken cookie as X-CSRFToken.",
            code="csrf_refused",
        )


def _never_called(request: HttpRequest) -> NoReturn:
    raise AssertionError("the check calls no view")
