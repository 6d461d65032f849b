"""Counts are compared with the log, and made anew from it."""

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.bandits.models import BanditCheck, BanditPolicy, BanditState
from apps.bandits.services import begin_version, check, rebuild
from apps.bandits.tasks import check_bandits
from apps.core.errors import NotFound
from apps.core.models import AuditEntry
from tests.bandits.log import ARMS, cells, make_log, make_policy, say, serve
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def policy() -> BanditPolicy:
    """A version that has a base, films shown and successes."""
    before = make_policy(half_life_days=3.0)
    serve_and_click(before)
    policy = begin_version(arms=ARMS, reason="a test", by=None)
    serve_and_click(policy)
    return policy


def serve_and_click(policy: BanditPolicy) -> None:
    viewer = make_user()
    first, *_ = serve(make_log(policy, ["svd", "als", "svd", None], viewer=viewer))
    say(viewer, first, "click")


def run(name: str, *arguments: str) -> Mapping[str, Any]:
    out = io.StringIO()
    try:
        call_command(name, "--json", *arguments, stdout=out)
    except CommandError as refusal:
        return {"refused": str(refusal), **json.loads(out.getvalue() or "{}")}
    result: Mapping[str, Any] = json.loads(out.getvalue())
    return result


def tamper(policy: BanditPolicy, **values: float) -> None:
    assert BanditState.objects.filter(policy=policy, arm="svd").update(**values) == 1


def test_what_was_counted_is_what_the_log_says(policy: BanditPolicy) -> None:
    assert check(policy.version).as_json() == {
        "version": policy.version,
        "n_cells": 2,
        "n_differing": 0,
        "differing": [],
    }
    assert cells(policy)[7, "svd"][:2] == (4, 2)


def test_a_check_is_one_statement(policy: BanditPolicy) -> None:
    with CaptureQueriesContext(connection) as captured:
        check(policy.version)
    assert sum("bandit_states" in query["sql"] for query in captured) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shown", 5),
        ("successes", 1),
        ("shown_weighted", 4.001),
        ("successes_weighted", 0.0),
        ("first_draws", 1.5),
        ("base_shown", 3),
    ],
)
def test_a_cell_that_was_tampered_with_is_found(policy: BanditPolicy, name: str, value: float) -> None:
    tamper(policy, **{name: value})
    (found,) = check(policy.version).differing
    assert (found.context, found.arm) == (7, "svd")
    assert found.held != found.expected


def test_a_cell_that_is_gone_is_found(policy: BanditPolicy) -> None:
    before = cells(policy)[7, "als"]
    BanditState.objects.filter(policy=policy, arm="als", base_shown=1).update(shown=0, base_shown=0)
    assert [one.arm for one in check(policy.version).differing] == ["als"]
    viewer = make_user()
    serve(make_log(policy, ["item_cf"], viewer=viewer, context=30))
    BanditState.objects.filter(policy=policy, arm="item_cf").delete()
    assert [one.arm for one in check(policy.version).differing] == ["als", "item_cf"]
    rebuild(policy.version)
    assert cells(policy)[30, "item_cf"][:2] == (1, 0)
    assert cells(policy)[7, "als"][0] == before[0] - 1, "the base is believed"


def test_rebuilding_makes_them_equal_and_says_what_was_wrong(policy: BanditPolicy) -> None:
    before = cells(policy)
    tamper(policy, shown=99, successes_weighted=-3.0)
    assert [one.arm for one in rebuild(policy.version).differing] == ["svd"]
    assert {cell: pytest.approx(sums) for cell, sums in cells(policy).items()} == before
    assert check(policy.version).differing == []
    assert AuditEntry.objects.get(action="bandits.rebuild").after == {"n_cells": 2, "n_corrected": 1}


def test_a_version_that_there_is_not_is_refused(policy: BanditPolicy) -> None:
    for act in (check, rebuild):
        with pytest.raises(NotFound, match=r"^There is no version 9 of the bandit's policy$"):
            act(9)


def test_the_commands_find_and_mend_it(policy: BanditPolicy) -> None:
    assert run("bandit_check")["equal"]
    tamper(policy, shown=99)
    found = run("bandit_check")
    assert found["refused"] == "Counts differ from the log; manage.py bandit_rebuild makes them anew from it"
    assert [one["n_differing"] for one in found["versions"]] == [0, 1]
    assert found["versions"][1]["differing"][0]["held"]["shown"] == 99
    assert run("bandit_rebuild", "--policy-version", str(policy.version)) == {
        "versions": [{"version": policy.version, "n_cells": 2, "n_corrected": 1}]
    }
    assert run("bandit_check", "--policy-version", str(policy.version))["equal"]
    assert run("bandit_check", "--policy-version", "9") == {
        "refused": "There is no version 9 of the bandit's policy"
    }


def test_the_nightly_check_keeps_its_last_result(policy: BanditPolicy, caplog: Any) -> None:
    assert check_bandits() == 0
    tamper(policy, shown=99)
    assert check_bandits() == 1
    kept = BanditCheck.objects.get(policy=policy)
    assert (kept.n_cells, kept.n_differing, kept.differing[0]["arm"]) == (2, 1, "svd")
    assert BanditCheck.objects.count() == 2
    assert f"bandit_differs version={policy.version} cells=1" in caplog.text
