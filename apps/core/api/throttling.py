"""Throttles of the API: per viewer and per address, reads and writes apart."""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apps.core.address import client_address
from apps.core.rates import allow

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class ViewerThrottle(BaseThrottle):
    """300 writes and 600 reads a minute for each user, key or guest; else for each address."""

    retry_after: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        scope = "read" if request.method in SAFE_METHODS else "write"
        self.retry_after = allow(scope, _identity(request))
        return self.retry_after is None

    def wait(self) -> float | None:
        return self.retry_after


class AddressThrottle(ViewerThrottle):
    def allow_request(self, request: Request, view: Any) -> bool:
        scope = "read_address" if request.method in SAFE_METHODS else "write_address"
        self.retry_after = allow(scope, client_address(request._request))
        return self.retry_after is None


def _identity(request: Request) -> str:
    if request.user is not None and request.user.pk is not None:
        return f"user:{request.user.pk}"
    key = getattr(request.auth, "pk", None)
    return f"key:{key}" if key is not None else f"address:{client_address(request._request)}"
