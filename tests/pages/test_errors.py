"""What is shown when something is wrong."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from recommender_site import urls as site

pytestmark = pytest.mark.django_db


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("out of film")


def denied(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation


urlpatterns = [
    *(
        path(f"{prefix}{view.__name__}", view)
        for prefix in ("", "api/")
        for view in (broken, denied, suspicious)
    ),
    *site.urlpatterns,
]
handler400, handler403 = site.handler400, site.handler403
handler404, handler500 = site.handler404, site.handler500

CASES = [
    ("broken", 500, "The film tore", "server-error"),
    ("denied", 403, "Not for you", "forbidden"),
    ("suspicious", 400, "Not understood", "bad-request"),
    ("nowhere", 404, "No such page", "not-found"),
]


@pytest.fixture(autouse=True)
def broken_site(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def quiet() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(("name", "status", "title", "code"), CASES)
def test_shows_a_page_to_people(quiet: Client, name: str, status: int, title: str, code: str) -> None:
    response = quiet.get(f"/{name}")
    page = response.content.decode()
    assert response.status_code == status
    assert f"<title>{title} · Marquee</title>" in " ".join(page.split()).replace("<title> ", "<title>")
    assert "out of film" not in page


@pytest.mark.parametrize(("name", "status", "title", "code"), CASES)
def test_gives_a_problem_to_programs(quiet: Client, name: str, status: int, title: str, code: str) -> None:
    response = quiet.get(f"/api/{name}")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["type"] == f"urn:marquee:problem:{code}"
    assert response.json()["status"] == response.status_code == status


def test_names_the_request_so_that_staff_can_find_it(quiet: Client) -> None:
    response = quiet.get("/broken", headers={"X-Request-ID": "a-request-of-mine"})
    assert "a-request-of-mine" in response.content.decode()


def test_refuses_a_host_that_is_not_ours(quiet: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["marquee.example"]
    response = quiet.get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert "Not understood" in response.content.decode()
