"""What another policy would have earned, from the log of the bandit."""

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.bandits.beliefs import believed_at_start
from apps.bandits.models import BanditPolicy
from apps.bandits.services import begin_version, judge, policy_names
from apps.core.errors import InvalidInput, NotFound
from apps.core.management.base import Refused
from apps.events.models import RecommendationEvent, Slate
from tests.bandits.log import ARMS, make_log, make_policy, serve
from tests.factories import make_user

pytestmark = pytest.mark.django_db
RATES = {"als": 0.1, "item_cf": 0.3, "svd": 0.6}


def make_history(policy: BanditPolicy, *, n_viewers: int = 80, seed: int = 1, **values: Any) -> None:
    """Each viewer got two lists of three slots, drawn evenly, and liked films as often as ``RATES`` say."""
    rng = np.random.default_rng(seed)
    for _ in range(n_viewers):
        viewer = make_user()
        for _ in range(2):
            log = make_log(policy, rng.choice(ARMS, 3).tolist(), viewer=viewer, **values)
            ids = serve(log)
            liked = [
                event_id
                for event_id, impression in zip(ids, log.impressions, strict=True)
                if rng.random() < RATES[impression.algorithm]
            ]
            RecommendationEvent.objects.filter(pk__in=liked).update(outcome="success")


def test_finds_what_each_arm_alone_would_have_earned() -> None:
    policy = make_policy()
    make_history(policy)
    found = {one.policy: one for one in judge(["uniform", "svd", "als"], version=policy.version, days=30)}
    # Seeded; the intervals themselves are held to their coverage in benchmarks/ope.py.
    svd, als = found["svd"].estimates["snips"], found["als"].estimates["snips"]
    assert svd.value == pytest.approx(RATES["svd"], abs=0.1)
    assert als.value == pytest.approx(RATES["als"], abs=0.1)
    even = found["uniform"].estimates["ips"]
    assert even.value == found["uniform"].logged
    assert (even.mean_weight, even.ess) == (pytest.approx(1), pytest.approx(480))
    assert found["svd"].n_films == 480
    assert svd.ess < 200
    assert svd.reason == f"effective sample {int(svd.ess)} < 200"


def test_the_version_of_the_log_is_judged_by_what_it_began_with() -> None:
    """What it learned it learned from this log, in which luck would look like skill."""
    policy = make_policy()
    make_history(policy, n_viewers=10)
    names = [f"version:{policy.version}", "uniform"]
    own, even = judge(names, version=policy.version, days=30)
    # It began with nothing: all arms alike.
    assert own.estimates["ips"].mean_weight == pytest.approx(1)
    assert own.estimates["ips"].value == pytest.approx(even.estimates["ips"].value)


def test_versions_that_learned_from_the_log_cannot_be_judged_by_it() -> None:
    policy = make_policy()
    make_history(policy, n_viewers=2)
    later = begin_version(arms=ARMS, reason="a test", by=None)
    assert policy_names(policy.version) == ["uniform", *ARMS, f"version:{policy.version}"]
    assert policy_names(later.version)[-2:] == [f"version:{later.version}", f"version:{policy.version}"]
    with pytest.raises(InvalidInput, match=f"There is no policy 'version:{later.version}' to judge"):
        judge([f"version:{later.version}"], version=policy.version, days=30)


@pytest.mark.parametrize("drawn", [("svd",), ("svd", "als")])
def test_a_version_is_judged_with_as_many_arms_as_its_lists_drew(drawn: tuple[str, ...]) -> None:
    policy = make_policy()
    for _ in range(40):
        serve(make_log(policy, drawn))
    version = f"version:{policy.version}"
    beliefs = believed_at_start(policy.version).beliefs
    parts = beliefs.rank_propensities(7)[:, : len(drawn)].mean(axis=1)
    (found,) = judge([version], version=policy.version, days=30)
    wanted = np.mean([parts[ARMS.index(arm)] / (1 / 3) for arm in drawn])
    assert found.estimates["ips"].mean_weight == pytest.approx(wanted)


def test_reads_only_what_counts_and_no_more_days_than_asked_for() -> None:
    policy = make_policy()
    make_history(policy, n_viewers=2)
    make_history(policy, n_viewers=2, at=timezone.now() - timedelta(days=9))
    make_history(policy, n_viewers=2, counted=False)
    Slate.objects.filter(counted=False).update(bandit_version=policy.version)
    assert [judge(["uniform"], version=policy.version, days=days)[0].n_films for days in (7, 30)] == [12, 24]


def test_lists_of_somebody_erased_still_count_each_for_itself() -> None:
    policy = make_policy()
    make_history(policy, n_viewers=3)
    Slate.objects.update(unit_key=None)
    (found,) = judge(["uniform"], version=policy.version, days=30)
    assert found.estimates["dr"].n_units == 6


def test_an_empty_log_gives_no_value_and_says_so() -> None:
    policy = make_policy()
    (found,) = judge(["svd"], version=policy.version, days=30)
    assert (found.n_films, found.logged) == (0, None)
    assert {one.reason for one in found.estimates.values()} == {"the log is empty"}
    assert {one.value for one in found.estimates.values()} == {None}


def test_refuses_with_a_sentence() -> None:
    with pytest.raises(NotFound, match=r"^There is no version 7 of the bandit's policy\.$"):
        judge(["uniform"], version=7, days=30)
    policy = make_policy()
    known = ", ".join(policy_names(policy.version))
    with pytest.raises(InvalidInput) as refused:
        judge(["oracle"], version=policy.version, days=30)
    assert refused.value.detail == (
        f"There is no policy 'oracle' to judge; there are: {known},"
        " weights:ARM=PART,… and terms:TERM=VALUE,…."
    )


def test_the_command_judges_all_policies(capsys: pytest.CaptureFixture[str]) -> None:
    policy = make_policy()
    make_history(policy, n_viewers=2)
    call_command("evaluate_policy", "--json")
    told = json.loads(capsys.readouterr().out)["policies"]
    assert [one["policy"] for one in told] == policy_names(policy.version)
    assert told[0]["estimates"]["dr"]["reason"] == "effective sample 12 < 200"


def test_the_command_says_when_no_bandit_has_served() -> None:
    with pytest.raises(Refused, match=r"^No bandit has served yet: let the serving policy be one"):
        call_command("evaluate_policy")
