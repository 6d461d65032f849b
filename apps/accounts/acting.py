"""For whom a request acts. Identity comes from the credential, never from the body."""

from django.http import HttpRequest
from rest_framework.request import Request

from apps.accounts.models import ApiKey, User
from apps.accounts.services import ensure_guest
from apps.accounts.units import guest_of, unit_of, visit_of
from apps.core.address import client_address
from apps.core.errors import CredentialsRefused, Forbidden, InvalidInput, NotFound

ACT_FOR_USERS = "accounts.act_for_users"


def caller_of(request: Request | HttpRequest) -> User | None:
    """The user or guest that the credential names; None for a key and for a guest without a row."""
    if isinstance(request.user, User):
        return request.user
    # An API view has tried the cookie already, CSRF and all; a page has Django's CSRF middleware.
    return None if isinstance(request, Request) else guest_of(request)


def account_of(request: Request) -> User:
    """The signed-in account of an endpoint that admits accounts only."""
    caller = caller_of(request)
    if caller is None or not caller.has_account:
        raise Forbidden("This needs an account: sign up or log in")
    return caller


def acting_user(request: Request | HttpRequest, user_id: int | None) -> User | None:
    """Whom the request is for; None only for a visitor who has no row yet.

    ``user_id`` comes from body or query and must be the caller's own, unless the caller holds
    ``accounts.act_for_users`` by permission or key scope. A key must always name somebody.
    """
    key = getattr(request, "auth", None)
    if isinstance(key, ApiKey):
        return _user_of_key(request, key, user_id)
    caller = caller_of(request)
    if user_id is None or (caller is not None and caller.pk == user_id):
        return caller
    if caller is not None and caller.has_perm(ACT_FOR_USERS):
        return _other_user(user_id)
    own = f"user_id must be {caller.pk} or left out" if caller else "leave user_id out"
    raise Forbidden(f"You may act only for yourself: {own}")


def acting_user_or_new_guest(request: Request | HttpRequest, user_id: int | None) -> User:
    """As ``acting_user``; a visitor without a row becomes a guest. For feedback, not for reads."""
    user = acting_user(request, user_id)
    if user is not None:
        return user
    http_request = request._request if isinstance(request, Request) else request
    unit = unit_of(http_request)
    if unit.key is None:
        raise CredentialsRefused("Log in, or send the unit cookie that a first GET sets")
    guest = ensure_guest(unit_key=unit.key, address=client_address(http_request))
    visit_of(http_request).become(guest)
    return guest


def _user_of_key(request: Request | HttpRequest, key: ApiKey, user_id: int | None) -> User:
    if not key.grants(ApiKey.Scope.ACT_FOR_USERS):
        raise Forbidden("This API key lacks the scope act_for_users")
    if user_id is None:
        pointer = "?user_id" if request.method in {"GET", "HEAD"} else "/user_id"
        raise InvalidInput.of(pointer, "An API key must say for whom it acts: give user_id")
    return _other_user(user_id)


def _other_user(user_id: int) -> User:
    user = User.objects.present().filter(pk=user_id).first()
    if user is None:
        raise NotFound(f"There is no user {user_id}")
    return user
