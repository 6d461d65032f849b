"""The signed cookie that makes a visitor a unit, and when a session was last used."""

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject

from apps.accounts.sessions import note_seen
from apps.accounts.units import Visit, is_bot, is_prefetch, set_unit_cookie, unit_of, visit_of
from apps.core.edge import GetResponse

API = "/api/"
# Nobody is a viewer there.
_UNCOUNTED_PAGES = ("/admin/", "/api/docs", "/api/schema")


class UnitMiddleware:
    """Gives ``request.unit`` (a ``Unit``, looked up when first read) and keeps its cookie.

    A visitor's first page or API answer sets the cookie; the CSRF cookie comes along, because a
    guest's writes need both.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        visit = visit_of(request)
        request.unit = SimpleLazyObject(lambda: unit_of(request))  # type: ignore[attr-defined] # ours
        response = self.get_response(request)
        if _is_for_viewers(request, response):
            patch_vary_headers(response, ["Cookie"])
            _begin(request, visit)
        if visit.new_key is not None:
            set_unit_cookie(response, visit.new_key, secure=request.is_secure())
        return response


class SessionSeenMiddleware:
    """Keeps when, and from what device, each session of an account was last used."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        note_seen(request)
        return response


def _begin(request: HttpRequest, visit: Visit) -> None:
    if request.method != "GET" or is_prefetch(request) or is_bot(request):
        return
    if visit.cookie_key is None and visit.new_key is None:
        visit.keep(uuid.uuid4())
    if settings.CSRF_COOKIE_NAME not in request.COOKIES:
        get_token(request)


def _is_for_viewers(request: HttpRequest, response: HttpResponse) -> bool:
    if response.status_code != 200 or request.path.startswith(_UNCOUNTED_PAGES):
        return False
    if request.path.startswith(API):
        return "Authorization" not in request.headers
    return response.headers.get("Content-Type", "").startswith("text/html")
