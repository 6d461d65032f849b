from urllib.robotparser import RobotFileParser

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def rules(client: Client) -> RobotFileParser:
    response = client.get("/robots.txt")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/plain")
    parser = RobotFileParser()
    parser.parse(response.content.decode().splitlines())
    return parser


@pytest.mark.parametrize("path", ["/", "/film/1", "/search?q=alien", "/about", "/poster/1.svg"])
def test_lets_crawlers_read_the_films(rules: RobotFileParser, path: str) -> None:
    assert rules.can_fetch("Examplebot", path)


@pytest.mark.parametrize(
    "path",
    ["/api/v1/movies", "/api/docs", "/admin/login/", "/log-in", "/log-out", "/sign-up", "/password/reset/"],
)
def test_keeps_crawlers_from_what_is_no_film(rules: RobotFileParser, path: str) -> None:
    assert not rules.can_fetch("Examplebot", path)


def test_makes_nobody_a_viewer(client: Client) -> None:
    assert not client.get("/robots.txt").cookies
