"""What a version did, day by day and arm by arm, in the admin."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.algorithms.ope import UnitSums, rate_interval
from apps.bandits import activity
from apps.bandits.admin.activity import chance_range
from apps.bandits.models import BanditPolicy
from apps.bandits.services import begin_version, freeze
from apps.events.models import RecommendationEvent, Slate
from tests.bandits.admin import lines_of, n_queries, page_of, url_of
from tests.bandits.log import ARMS, make_log, make_policy, serve
from tests.factories import make_staff, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def staff(client: Client) -> None:
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy"]))


def draw(policy: BanditPolicy, arms: list[str | None], *, liked: int = 0, **values: Any) -> None:
    """A list of which the first ``liked`` films are successes."""
    told = {name: values.pop(name, False) for name in ("explored", "capped")}
    log = make_log(policy, arms, **values)
    log.slate.posterior |= told
    ids = serve(log)
    RecommendationEvent.objects.filter(pk__in=ids[:liked]).update(outcome="success")


def make_week(policy: BanditPolicy) -> tuple[User, User]:
    """Two days ago three lists, of which one was capped; today one that explored."""
    one, other = make_user(), make_user()
    before = timezone.now() - timedelta(days=2)
    draw(policy, ["svd", "als", "svd"], liked=1, viewer=one, at=before)
    draw(policy, ["svd", "als", "svd"], viewer=one, at=before)
    draw(policy, ["als", "svd", "als"], liked=2, viewer=other, at=before, capped=True)
    draw(policy, ["svd", "item_cf", None], viewer=other, explored=True)
    return one, other


def test_arms_are_counted_by_first_draws_and_by_what_held_them_back(client: Client) -> None:
    policy = make_policy(max_share=0.5)
    make_week(policy)
    rows = {row["arm"]: row for row in lines_of(client, policy, "activity_arms_csv")}
    drawn = [(row["arm"], row["first"], row["share"], row["held_back"]) for row in rows.values()]
    assert drawn == [("als", "1", "0.25", "0"), ("item_cf", "0", "0.0", "0"), ("svd", "3", "0.75", "1")]
    # Above a half: two thirds of the first day's, and all of today's one.
    assert [row["days_over"] for row in rows.values()] == ["0", "0", "2"]
    assert sum(float(row["share_now"]) for row in rows.values()) == pytest.approx(1)


def test_days_have_every_day_from_the_first_list_on(client: Client) -> None:
    policy = make_policy()
    make_week(policy)
    rows = lines_of(client, policy, "activity_days_csv")
    today = timezone.now().astimezone(UTC).date()
    assert [row["day"] for row in rows] == [str(today - timedelta(days=back)) for back in range(3)]
    counts = [(row["lists"], row["by_belief"], row["explored"], row["capped"]) for row in rows]
    assert counts == [("1", "0", "1", "0"), ("0", "0", "0", "0"), ("3", "3", "0", "1")]
    assert float(rows[2]["svd_first"]) == pytest.approx(2 / 3)
    assert float(rows[2]["svd_films"]) == pytest.approx(5 / 9)
    assert rows[1]["svd_first"] == ""
    assert (rows[0]["svd_films"], rows[0]["item_cf_films"]) == ("0.5", "0.5")


def test_success_has_intervals_that_go_by_viewers(client: Client) -> None:
    policy = make_policy()
    make_week(policy)
    rows = {row["arm"]: row for row in lines_of(client, policy, "activity_success_csv")}
    told = ("viewers", "shown", "successes")
    assert [rows["svd"][name] for name in told] == ["2", "6", "2"]
    assert [rows["als"][name] for name in told] == ["2", "4", "1"]
    assert [rows["all"][name] for name in told] == ["2", "11", "3"]
    # Of svd's films the one viewer liked 1 of 4, the other 1 of 2.
    wanted = rate_interval(UnitSums.of(np.array([1.0, 0, 0, 0, 1, 0]), np.array([0, 0, 0, 0, 1, 1])))
    assert wanted is not None
    assert (float(rows["svd"]["low"]), float(rows["svd"]["high"])) == pytest.approx(wanted)
    assert (rows["item_cf"]["low"], rows["item_cf"]["rate"]) == ("", "0.0")


def test_lists_of_somebody_erased_count_each_for_itself(client: Client) -> None:
    policy = make_policy()
    make_week(policy)
    Slate.objects.update(unit_key=None)
    rows = {row["arm"]: row for row in lines_of(client, policy, "activity_success_csv")}
    assert (rows["svd"]["viewers"], rows["all"]["viewers"]) == ("4", "4")


def test_says_whether_it_explores_as_it_should(client: Client) -> None:
    policy = make_policy(explore=0.03)
    make_week(policy)
    page = page_of(client, policy, "activity")
    said = "Of 4 lists 1 were drawn evenly, to explore: 25.0%. The version explores 3.0%, of so many 0 to 1"
    assert said in page
    assert "In 1 lists, 25.0% of them, the arm that came first was put second" in page
    assert chance_range(1000, 0.03) == (20, 41)
    assert chance_range(10, 0.0) == (0, 0)


def test_days_are_chosen_and_a_week_unasked(client: Client) -> None:
    policy = make_policy()
    for back in (1, 10, 40):
        draw(policy, ["svd"], at=timezone.now() - timedelta(days=back))
    for query, n_lists in (({"days": 7}, 1), ({"days": 30}, 2), ({"days": 90}, 3), ({}, 1)):
        rows = lines_of(client, policy, "activity_days_csv", **query)
        assert sum(int(row["lists"]) for row in rows) == n_lists, query


@pytest.mark.parametrize(("page", "default"), [("activity", 7), ("off_policy", 30)])
@pytest.mark.parametrize("asked", ["8", "abc", "", "-7"])
def test_other_days_are_refused_with_those_that_there_are(
    client: Client, page: str, default: int, asked: str
) -> None:
    answer = client.get(url_of(make_policy(), page), {"days": asked})
    assert answer.status_code == 400
    said = f"Days are 7, 30 or 90. Shown are {default}."
    assert f'<p class="admin-errors" role="alert">{said}</p>' in answer.content.decode()


@pytest.mark.parametrize("page", ["activity_days_csv", "activity_arms_csv", "off_policy_csv"])
def test_a_csv_of_other_days_is_refused(client: Client, page: str) -> None:
    assert client.get(url_of(make_policy(), page), {"days": "abc"}).status_code == 400


def leave_alone(policy: BanditPolicy, *, at: datetime | None = None, **values: Any) -> None:
    """A list that a bandit of these arms was asked for and did not draw."""
    config = {"policy": "bandit", "arms": [*reversed(policy.arms)], "slots": 2}
    log = make_log(policy, [None, None], at=at, strategy_config=config)
    for name, value in {"bandit_version": None, **values}.items():
        setattr(log.slate, name, value)
    serve(replace(log, shared=replace(log.shared, bandit_context=None)))


def test_lists_that_were_not_drawn_are_counted_beside_the_others(client: Client) -> None:
    policy, now = make_policy(), timezone.now()
    BanditPolicy.objects.update(started_at=now - timedelta(days=5))
    make_week(policy)
    for _ in range(3):
        leave_alone(policy, at=now - timedelta(days=1))
    leave_alone(policy, at=now - timedelta(days=6))
    for other in ({"counted": False}, {"degraded": "no_model"}, {"strategy": "fixed"}):
        leave_alone(policy, **other)
    leave_alone(begin_version(arms=["popular", "svd"], reason="a test", by=None))
    said = "Of 7 lists 3 were not drawn: 42.9%. They were of viewers of whom an arm knew nothing"
    assert said in page_of(client, policy, "activity")
    assert sum(int(row["lists"]) for row in lines_of(client, policy, "activity_days_csv")) == 4


def test_lists_that_were_not_drawn_are_of_the_version_that_served_then(client: Client) -> None:
    before = make_policy()
    leave_alone(before)
    after = make_policy()
    leave_alone(after)
    for policy in (before, after):
        page = page_of(client, policy, "activity")
        assert "No list that counts in 7 days" in page
        assert "Of 1 lists 1 were not drawn: 100.0%." in page


def test_only_lists_that_count_are_in_it(client: Client) -> None:
    policy, other = make_policy(), make_policy()
    draw(policy, ["svd"], counted=False)
    draw(other, ["svd"])
    page = page_of(client, policy, "activity")
    assert "No list that counts in 7 days" in page
    assert "Lists were made, and none of them counts" in page
    assert "<svg" not in page.partition('aria-label="Pages of this version"')[2]


def test_says_what_to_do_where_there_is_no_list(client: Client) -> None:
    policy = make_policy()
    page = page_of(client, policy, "activity")
    assert "No list that counts in 7 days" in page
    assert "Let <em>Serving policy</em> be a bandit of these arms, or try one in an experiment" in page
    assert "Lists were made" not in page
    assert lines_of(client, policy, "activity_days_csv") == []


def test_a_frozen_version_has_lists_and_no_draws(client: Client) -> None:
    policy = make_policy()
    freeze(version=policy.version, reason="a test", by=None)
    log = make_log(policy, ["svd", "als"])
    log.slate.posterior = {"weights": dict.fromkeys(ARMS, 1 / 3)}
    serve(log)
    page = page_of(client, policy, "activity")
    assert "Frozen: fixed weights serve" in page
    assert "No list was drawn by belief in these days" in page
    (day,) = lines_of(client, policy, "activity_days_csv")
    assert (day["lists"], day["by_belief"], day["svd_films"], day["svd_first"]) == ("1", "0", "0.5", "")


def test_days_begin_at_midnight_in_utc() -> None:
    policy = make_policy()
    midnight = datetime.combine(timezone.now().astimezone(UTC).date(), datetime.min.time(), UTC)
    for at in (midnight - timedelta(hours=20), midnight - timedelta(microseconds=1), midnight):
        draw(policy, ["svd", "als"], at=at)
    found = activity.activity_of(policy.version, days=7)
    assert [day.lists for day in found.days] == [2, 1]
    assert [day.films["svd"] for day in found.days] == [2, 1]


def test_reads_no_more_than_the_newest_lists(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = make_policy()
    make_week(policy)
    monkeypatch.setattr(activity, "MAX_LISTS", 1)
    found = activity.activity_of(policy.version, days=30)
    assert (found.is_cut, found.lists, found.films.shown) == (True, 1, 2)
    assert "There are more lists than this page reads" in page_of(client, policy, "activity")
    monkeypatch.setattr(activity, "MAX_LISTS", 4)
    assert not activity.activity_of(policy.version, days=30).is_cut


def test_queries_do_not_grow_with_the_log(client: Client) -> None:
    policy = make_policy()
    found = []
    for _ in range(2):
        make_week(policy)
        leave_alone(policy)
        found.append(n_queries(client, policy, "activity"))
    assert found[0] == found[1] <= 14
