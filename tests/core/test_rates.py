import pytest
from django.test import Client

from apps.core.errors import TooMany
from apps.core.rates import allow, enforce


@pytest.fixture(autouse=True)
def rates(settings, time_machine) -> None:
    settings.THROTTLE_RATES = {**settings.THROTTLE_RATES, "test": "3/m", "rare": "1/h", "read": "2/m"}
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)


def test_allows_the_rate_and_no_more() -> None:
    assert [allow("test", "ada") for _ in range(3)] == [None, None, None]
    assert allow("test", "ada") is not None


def test_counts_each_scope_and_each_person_apart() -> None:
    for _ in range(4):
        allow("test", "ada")
    assert allow("test", "eve") is None
    assert allow("rare", "ada") is None


def test_slides_over_the_end_of_a_window(time_machine) -> None:
    time_machine.shift(59)
    assert [allow("test", "ada") for _ in range(3)] == [None] * 3
    time_machine.shift(2)
    assert allow("test", "ada") is not None
    time_machine.shift(60)
    assert allow("test", "ada") is None


def test_forgets_after_two_windows(time_machine) -> None:
    for _ in range(50):
        allow("test", "ada")
    time_machine.shift(120)
    assert allow("test", "ada") is None


@pytest.mark.parametrize("scope", ["test", "rare"])
@pytest.mark.parametrize("acts", [2, 4, 5, 12])
@pytest.mark.parametrize("into", [0, 17, 59])
def test_allows_again_exactly_when_it_said(time_machine, scope: str, acts: int, into: int) -> None:
    time_machine.shift(into)
    waits = [allow(scope, "ada") for _ in range(acts)]
    wait = waits[-1]
    if wait is None:
        assert acts <= 3
        return
    time_machine.shift(wait + 0.001)
    assert allow(scope, "ada") is None


def test_refuses_with_a_sentence_and_the_seconds() -> None:
    enforce("rare", "ada", refusal="Too many exports")
    with pytest.raises(TooMany) as refusal:
        enforce("rare", "ada", refusal="Too many exports")
    # Both of this hour's two acts must have slid out: the hour and the whole of the next.
    assert refusal.value.detail == "Too many exports: try again in 7200 seconds"
    assert refusal.value.retry_after == 7200


@pytest.mark.django_db
@pytest.mark.urls("tests.core.urls")
def test_the_api_throttles_reads_by_address(client: Client) -> None:
    codes = [client.get("/api/v1/search").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    response = client.get("/api/v1/search")
    assert response.json()["type"] == "urn:marquee:problem:throttled"
    assert int(response.headers["Retry-After"]) > 0
    assert client.get("/api/v1/search", REMOTE_ADDR="192.0.2.9").status_code == 200


@pytest.mark.django_db
@pytest.mark.urls("tests.core.urls")
def test_the_api_throttles_writes_apart_from_reads(client: Client) -> None:
    for _ in range(3):
        client.get("/api/v1/search")
    assert client.put("/api/v1/body", {}, "application/json").status_code == 200
