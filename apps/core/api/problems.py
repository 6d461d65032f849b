"""Every failure of the API as RFC 9457 ``application/problem+json``, in one place."""

import logging
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import ApplicationError, FieldError, TooMany
from apps.core.json import encode
from apps.core.logs import current_request_id

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"
# An answer repeats what was sent, but never more of it than a person reads.
MAX_ERRORS = 50
MAX_TEXT = 500


def problem(
    *,
    status_code: int,
    code: str,
    title: str,
    detail: str,
    instance: str,
    errors: tuple[FieldError, ...] = (),
) -> dict[str, Any]:
    """The body of one problem: at most ``MAX_ERRORS`` errors, and no text over ``MAX_TEXT`` characters."""
    body: dict[str, Any] = {
        "type": f"urn:marquee:problem:{code}",
        "title": title,
        "status": status_code,
        "detail": _short(detail),
        "instance": _short(instance),
        "request_id": current_request_id(),
    }
    if errors:
        body["errors"] = [
            {"pointer": _short(error.pointer), "detail": _short(error.detail)}
            for error in errors[:MAX_ERRORS]
        ]
    return body


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's hook. Returns None (so that Django's 500 path runs) for what nobody foresaw."""
    request: Request = context["request"]
    if isinstance(error, ApplicationError):
        response = _refusal(error, request.path)
    elif isinstance(error, Http404):
        response = _simple(404, "not-found", "There is nothing at this address", request.path)
    elif isinstance(error, PermissionDenied):
        response = _simple(403, "forbidden", "This needs a permission that you do not hold", request.path)
    elif isinstance(error, exceptions.APIException):
        response = _framework_error(error, request.path)
    else:
        return None
    response["Content-Type"] = CONTENT_TYPE
    return response


def describe(error: ApplicationError | exceptions.APIException, path: str) -> dict[str, Any]:
    """The problem's body alone, for an answer that holds several."""
    response = _refusal(error, path) if isinstance(error, ApplicationError) else _framework_error(error, path)
    return dict(response.data)


def page_not_found(request: HttpRequest) -> HttpResponse:
    """A path below /api/ that no view answers."""
    return _plain(request, 404, "not-found", "There is nothing at this address")


def server_error(request: HttpRequest) -> HttpResponse:
    return _plain(
        request, 500, "server-error", "Something broke on our side; quote the request_id to its staff"
    )


def forbidden(request: HttpRequest) -> HttpResponse:
    return _plain(request, 403, "forbidden", "This needs a permission that you do not hold")


def csrf_refused(request: HttpRequest, detail: str) -> HttpResponse:
    return _plain(request, 403, "csrf-refused", detail)


def bad_request(request: HttpRequest, detail: str = "The request could not be understood") -> HttpResponse:
    return _plain(request, 400, "bad-request", detail)


def _refusal(error: ApplicationError, path: str) -> Response:
    body = problem(
        status_code=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        instance=path,
        errors=error.errors,
    )
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else {}
    if error.status == status.HTTP_401_UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return Response(body, status=error.status, headers=headers, content_type=CONTENT_TYPE)


def _simple(status_code: int, code: str, detail: str, path: str) -> Response:
    title = HTTPStatus(status_code).phrase
    body = problem(status_code=status_code, code=code, title=title, detail=detail, instance=path)
    return Response(body, status=status_code, content_type=CONTENT_TYPE)


def _plain(request: HttpRequest, status_code: int, code: str, detail: str) -> HttpResponse:
    title = HTTPStatus(status_code).phrase
    body = problem(status_code=status_code, code=code, title=title, detail=detail, instance=request.path)
    return HttpResponse(encode(body), status=status_code, content_type=CONTENT_TYPE)


def _framework_error(error: exceptions.APIException, path: str) -> Response:
    if isinstance(error, exceptions.ValidationError):
        errors = tuple(_field_errors(error.detail, ""))
        detail = errors[0].detail if len(errors) == 1 else f"{len(errors)} things are wrong with the input"
        body = problem(
            status_code=400,
            code="invalid-input",
            title="The input is not valid",
            detail=detail,
            instance=path,
            errors=errors,
        )
        return Response(body, status=status.HTTP_400_BAD_REQUEST, content_type=CONTENT_TYPE)
    response = _simple(error.status_code, _code_of(error), _detail_of(error), path)
    if getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined] # DRF adds it
    wait = getattr(error, "wait", None)
    if wait is not None:
        response["Retry-After"] = str(max(1, int(wait + 0.999)))
    return response


def _detail_of(error: exceptions.APIException) -> str:
    """Simple JWT's errors hold their sentence inside a mapping."""
    detail = error.detail
    return str(detail.get("detail", detail)) if isinstance(detail, dict) else str(detail)


def _code_of(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    if isinstance(codes, dict) and isinstance(error.detail, dict):
        codes = str(error.detail.get("code", "refused"))
    return codes.replace("_", "-") if isinstance(codes, str) else "refused"


def _field_errors(detail: Any, pointer: str) -> Iterator[FieldError]:
    if isinstance(detail, Mapping):
        for name, value in detail.items():
            yield from _field_errors(value, pointer if name == "non_field_errors" else f"{pointer}/{name}")
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            nested = isinstance(value, Mapping | list)
            yield from _field_errors(value, f"{pointer}/{index}" if nested else pointer)
    else:
        yield FieldError(pointer, str(detail))
