"""Pages of a version in the admin, as tests read them."""

import csv
import io
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.bandits.models import BanditPolicy


def url_of(policy: BanditPolicy, page: str) -> str:
    return reverse(f"admin:bandits_banditpolicy_{page}", args=[policy.pk])


def page_of(client: Client, policy: BanditPolicy, page: str, **query: Any) -> str:
    answer = client.get(url_of(policy, page), query)
    assert answer.status_code == 200
    return answer.content.decode()


def lines_of(client: Client, policy: BanditPolicy, page: str, **query: Any) -> list[dict[str, str]]:
    """The rows of a CSV."""
    answer = client.get(url_of(policy, page), query)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))  # type: ignore[attr-defined] # streamed


def n_queries(client: Client, policy: BanditPolicy, page: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        page_of(client, policy, page)
    return len(captured)
