"""What other policies would have earned, in the admin."""

import re

import pytest
from django.test import Client

from apps.bandits.models import BanditPolicy
from apps.bandits.services import begin_version, judge
from tests.bandits.admin import lines_of, n_queries, page_of
from tests.bandits.log import ARMS, make_log, make_policy, serve
from tests.bandits.test_judging import make_history
from tests.factories import make_staff

pytestmark = pytest.mark.django_db
POLICIES = ["All arms alike", "als alone", "item_cf alone", "svd alone"]


@pytest.fixture(autouse=True)
def staff(client: Client) -> None:
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy"]))


def test_what_was_shown_stands_beside_every_arm_and_the_version_before(client: Client) -> None:
    before, policy = make_policy(), make_policy()
    make_history(policy, n_viewers=4)
    rows = lines_of(client, policy, "off_policy_csv")
    assert [row["policy"] for row in rows] == ["What was shown", *POLICIES, f"Version {before.version}"]
    first = lines_of(client, before, "off_policy_csv")
    assert [row["policy"] for row in first] == ["What was shown", *POLICIES]


def test_versions_of_other_arms_are_no_version_before(client: Client) -> None:
    begin_version(arms=["als", "svd"], reason="a test", by=None)
    assert len(lines_of(client, make_policy(), "off_policy_csv")) == 1 + len(POLICIES)


def test_the_figures_are_those_that_judging_gives(client: Client) -> None:
    policy = make_policy()
    make_history(policy)
    rows = {row["policy"]: row for row in lines_of(client, policy, "off_policy_csv")}
    even, svd = judge(["uniform", "svd"], version=policy.version, days=30)
    estimate = even.estimates["dr"]
    found = rows["All arms alike"]
    assert even.logged_ci is not None
    assert (float(found["value"]), float(found["ess"])) == (estimate.value, estimate.ess)
    assert (float(found["low"]), float(found["high"])) == estimate.ci
    assert (float(found["lift_low"]), float(found["lift_high"])) == estimate.lift_ci
    assert found["verdict"] == "unclear"
    shown = rows["What was shown"]
    assert (float(shown["value"]), float(shown["low"])) == (even.logged, even.logged_ci[0])
    assert rows["svd alone"]["verdict"] == f"none: {svd.estimates['dr'].reason}"


def test_the_chart_has_a_dot_where_there_is_a_verdict_and_words_where_there_is_none(client: Client) -> None:
    policy = make_policy()
    make_history(policy)
    page = page_of(client, policy, "off_policy")
    chart = page.partition("<figure")[2].partition("</figure>")[0]
    assert chart.count("<circle") == 2, "of what was shown, and of all arms alike"
    assert chart.count("no verdict") == len(ARMS)
    assert "Judged from 480 films shown to 80 viewers" in page
    assert page.count("none: effective sample ") == len(ARMS)
    assert re.search(r"none: effective sample 1\d\d &lt; 200", page)


def test_an_empty_log_says_what_to_do(client: Client) -> None:
    page = page_of(client, make_policy(), "off_policy")
    assert "The log of this version has no film that counts in 30 days" in page
    assert "Let <em>Serving policy</em> be a bandit of these arms" in page
    assert "none: the log is empty" in page
    assert "<figure" not in page


def test_says_when_there_are_more_films_than_it_reads(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = make_policy()
    make_history(policy, n_viewers=2)
    monkeypatch.setattr("apps.bandits.admin.verdicts.MOST_FILMS", 6)
    page = page_of(client, policy, "off_policy", days=90)
    assert "Judged from 6 films" in page
    assert f"evaluate_policy --policy-version {policy.version} --days 90" in page


def test_queries_do_not_grow_with_the_log(client: Client) -> None:
    make_policy()
    policy: BanditPolicy = make_policy()
    found = []
    for _ in range(2):
        for _ in range(3):
            serve(make_log(policy, ["svd", "als", "item_cf"] * 3))
        found.append(n_queries(client, policy, "off_policy"))
    assert found[0] == found[1] <= 14
