import pytest
from django.test import RequestFactory

from apps.core.address import client_address


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "203.0.113.1", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "203.0.113.1", "203.0.113.1"),
        (1, "203.0.113.66, 203.0.113.1", "203.0.113.1"),
        (2, "203.0.113.66, 203.0.113.1, 198.51.100.1", "203.0.113.1"),
        (2, "203.0.113.1", "203.0.113.1"),
        (1, " , ,203.0.113.1,, ", "203.0.113.1"),
    ],
)
def test_believes_as_many_proxies_as_there_are(settings, proxies: int, forwarded: str, expected: str) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": forwarded})
    assert client_address(request) == expected


def test_a_request_without_peer_has_no_address() -> None:
    request = RequestFactory().get("/")
    del request.META["REMOTE_ADDR"]
    assert client_address(request) == ""
