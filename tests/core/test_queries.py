import pytest
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.urls")]


def errors(client: Client, path: str) -> list[tuple[str, str]]:
    response = client.get(path)
    assert response.status_code == 400
    assert response.json()["detail"] == response.json()["errors"][0]["detail"]
    return [(error["pointer"], error["detail"]) for error in response.json()["errors"]]


def test_gives_values_and_defaults(client: Client) -> None:
    assert client.get("/api/v1/search").json() == {"n": 20}
    assert client.get("/api/v1/search?n=5&diversity=.5").json() == {"n": 5, "diversity": 0.5}


def test_refuses_unknown_repeated_and_wrong_parameters(client: Client) -> None:
    assert errors(client, "/api/v1/search?limit=5&n=1&n=2") == [
        ("?limit", "There is no parameter 'limit' here; there are: n, diversity"),
        ("?n", "This parameter was given more than once"),
    ]
    assert errors(client, "/api/v1/search?n=0&diversity=2") == [
        ("?n", "Ensure this value is greater than or equal to 1."),
        ("?diversity", "Ensure this value is less than or equal to 1."),
    ]
    assert errors(client, "/api/v1/search?n=%EF%BC%95") == [("?n", "A whole number is needed.")]


def test_says_that_no_parameter_is_taken_where_none_is(client: Client) -> None:
    none_taken = "There is no parameter 'recipe' here; none is taken"
    assert errors(client, "/api/v1/plain?recipe=x") == [("?recipe", none_taken)]


def test_lists_are_pages_of_at_most_100(client: Client) -> None:
    page = client.get("/api/v1/pages?page=2&page_size=100").json()
    assert (page["count"], page["results"]) == (250, list(range(100, 200)))
    assert page["next"] == "http://testserver/api/v1/pages?page=3&page_size=100"
    assert page["previous"] == "http://testserver/api/v1/pages?page_size=100"
    assert len(client.get("/api/v1/pages").json()["results"]) == 20


def test_refuses_pages_that_are_none(client: Client) -> None:
    assert errors(client, "/api/v1/pages?page_size=101") == [
        ("?page_size", "Ensure this value is less than or equal to 100.")
    ]
    assert errors(client, "/api/v1/pages?page=last") == [("?page", "A whole number is needed.")]
    response = client.get("/api/v1/pages?page=14")
    assert (response.status_code, response.json()["detail"]) == (404, "There is no such page")
