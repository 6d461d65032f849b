"""Every address of the site, and everybody who may ask there."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework_simplejwt.tokens import AccessToken

from apps.accounts.models import User

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_APP_LIST = re.compile(r"admin/\^\(\?P<app_label>.*")


@dataclass(frozen=True)
class Address:
    route: str
    pattern: URLPattern

    @property
    def view(self) -> Any:
        """The class of the view; None for a function."""
        return getattr(self.pattern.callback, "view_class", None)


def addresses(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[Address]:
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry, route)
        else:
            yield Address(_APP_LIST.sub("admin/<app_label>/", route), entry)


def api_routes() -> set[tuple[str, str]]:
    return {
        (method, address.route.removeprefix("api/v1/"))
        for address in addresses()
        if address.route.startswith("api/v1/")
        for method in METHODS
        if hasattr(address.view, method.lower())
    }


class Caller:
    """A browser or a program with its credential. ``user`` is who it is, or whom it acts for."""

    def __init__(self, headers: dict[str, str], *, user: User, browser: Client | None = None) -> None:
        self.headers, self.user = headers, user
        self.browser = browser or Client(enforce_csrf_checks=True)

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> HttpResponse:
        data = json.dumps(body) if body else b""
        return self.browser.generic(method, path, data, "application/json", headers=self.headers)

    def send_file(self, path: str, name: str, data: bytes) -> HttpResponse:
        """As a form with one field, ``file``."""
        return self.browser.post(path, {"file": SimpleUploadedFile(name, data)}, headers=self.headers)


def bearer(user: User) -> Caller:
    return Caller({"Authorization": f"Bearer {AccessToken.for_user(user)}"}, user=user)


def guest(*, csrf: bool = True) -> Caller:
    """Who has opened a page: a signed cookie, and the token that its writes need."""
    browser = Client(enforce_csrf_checks=True)
    browser.get("/about")
    token = {"X-CSRFToken": browser.cookies["csrftoken"].value} if csrf else {}
    return Caller(token, user=User(pk=0), browser=browser)


def signed_in(user: User, *, csrf: bool = True) -> Caller:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    browser.get("/about")
    token = {"X-CSRFToken": browser.cookies["csrftoken"].value} if csrf else {}
    return Caller(token, user=user, browser=browser)


@contextmanager
def undone() -> Iterator[None]:
    """What one request does is gone before the next, its share of the throttles too."""
    savepoint = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(savepoint)
        cache.clear()
