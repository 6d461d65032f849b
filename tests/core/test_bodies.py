import json

import pytest
from django.test import Client
from django.urls import resolve, reverse

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.urls")]


def post(client: Client, body: object) -> tuple[int, object]:
    response = client.post("/api/v1/body", body, "application/json")
    if response.status_code == 200:
        return 200, response.json()
    return response.status_code, [(error["pointer"], error["detail"]) for error in response.json()["errors"]]


def test_takes_a_body_that_is_right(client: Client) -> None:
    body = {"films": [{"film_id": 5, "stars": 4.5, "title": "Heat"}]}
    assert post(client, body) == (200, body)


@pytest.mark.parametrize("name", ["added_by", "id", "", "filmId"])
def test_refuses_a_field_that_is_unknown_or_read_only(client: Client, name: str) -> None:
    sentence = f"There is no field '{name}' here; there are: film_id, stars, title"
    assert post(client, {"films": [{"film_id": 5}, {"film_id": 6, name: 1}]}) == (
        400,
        [(f"/films/1/{name}", sentence)],
    )


def test_names_unknown_and_wrong_fields_together(client: Client) -> None:
    assert post(client, {"films": [{"film_id": 0, "rank": 1}]}) == (
        400,
        [
            ("/films/0/rank", "There is no field 'rank' here; there are: film_id, stars, title"),
            ("/films/0/film_id", "Ensure this value is greater than or equal to 1."),
        ],
    )


@pytest.mark.parametrize("body", [[], "films", 5, None])
def test_refuses_a_body_that_is_no_object(client: Client, body: object) -> None:
    status, errors = post(client, json.dumps(body))
    assert status == 400
    assert errors


def test_an_address_matches_with_one_slash_and_without() -> None:
    assert reverse("api-v1-fail-name", args=["bug"]) == "/api/v1/fail/bug"
    assert reverse("pages") == "/api/v1/pages"
    for path in ("/api/v1/fail/bug", "/api/v1/fail/bug/"):
        assert resolve(path).kwargs == {"name": "bug"}


def test_an_address_matches_with_two_slashes_never(client: Client) -> None:
    assert client.get("/api/v1/search//").status_code == 404
