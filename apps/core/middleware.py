"""The one place where the content policy is relaxed."""

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponse

from apps.core.edge import GetResponse


class AdminPolicyMiddleware:
    """Unfold's admin runs Alpine, which needs inline code; public pages never get this."""

    RELAXED = {"script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE], "style-src": [SELF, UNSAFE_INLINE]}

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith("/admin/"):
            response._csp_replace = self.RELAXED  # type: ignore[attr-defined] # django-csp reads it
        return response
