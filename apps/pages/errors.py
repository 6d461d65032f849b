"""What a visitor or a program sees when something is wrong: a page, or below /api/ a problem."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from apps.core.api import problems
from apps.core.logs import current_request_id

API = "/api/"


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return problems.page_not_found(request)
    return render(request, "errors/404.html", status=404)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return problems.forbidden(request)
    return render(request, "errors/403.html", status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Drawn without the visitor: what was refused may be a header that the rest of the page needs."""
    if request.path.startswith(API):
        return problems.bad_request(request)
    return HttpResponse(render_to_string("errors/400.html"), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Drawn without database, session or visitor: any of them may be what broke."""
    if request.path.startswith(API):
        return problems.server_error(request)
    page = render_to_string("errors/500.html", {"request_id": current_request_id()})
    return HttpResponse(page, status=500)


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    if request.path.startswith(API):
        return problems.csrf_refused(request, reason)
    return render(request, "errors/csrf.html", status=403)
