"""Versions begin with what is known, and are frozen and resumed with a reason."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.bandits.models import BanditPolicy
from apps.bandits.services import (
    Terms,
    begin_version,
    check,
    current_bandit,
    freeze,
    note_arm_recipes,
    renew_landmarks,
    resume,
)
from apps.core.errors import ApplicationError, Conflict, InvalidInput, NotFound
from apps.core.models import AuditEntry
from tests.bandits.log import ARMS, cells, make_log, make_policy, say, serve
from tests.factories import make_staff, make_user

pytestmark = pytest.mark.django_db


def served(**terms: Any) -> BanditPolicy:
    policy, viewer = make_policy(**terms), make_user()
    for _ in range(3):
        first, *_ = serve(make_log(policy, ["svd", "als"], viewer=viewer))
        say(viewer, first, "click")
    return policy


def test_a_version_begins_with_what_was_counted_before_it() -> None:
    before = served()
    policy = begin_version(arms=ARMS, reason="Sharper", by=make_staff(username="boss"))
    assert (policy.version, policy.created_by, policy.reason) == (before.version + 1, "boss", "Sharper")
    assert cells(policy)[7, "svd"][:4] == (3, 3, 3.0, 3.0)
    assert check(policy.version).differing == []
    entry = AuditEntry.objects.filter(action="bandits.begin_version").first()
    assert (entry.actor_name, entry.reason, entry.before) == ("boss", "Sharper", {"version": before.version})


def test_weights_are_those_of_the_new_landmark() -> None:
    start = timezone.now() - timedelta(days=6)
    served(half_life_days=3.0, started_at=start)
    policy = begin_version(arms=ARMS, reason="a test", by=None)
    assert cells(policy)[7, "svd"] == pytest.approx((3, 3, 3.0, 3.0, 3.0), rel=1e-3)
    assert policy.half_life_days == 3.0, "terms stay"


def test_of_an_arm_whose_recipe_changed_a_part_is_kept(settings: Any) -> None:
    settings.BANDIT_KEEP_ON_CHANGE = 0.25
    before = served()
    assert note_arm_recipes({"svd": "one", "als": "two"}) == [], "the first look changes nothing"
    assert note_arm_recipes({"svd": "one", "als": "two", "graph": "of no policy"}) == []
    (version,) = note_arm_recipes({"svd": "another", "als": "two"})
    policy = BanditPolicy.objects.get(pk=version)
    assert (version, policy.reason) == (before.version + 1, "What is fitted for svd changed")
    assert cells(policy)[7, "svd"] == pytest.approx((1, 1, 0.75, 0.75, 0.75), rel=1e-3)
    assert cells(policy)[7, "als"][:3] == (3, 0, 3.0)
    assert check(policy.version).differing == []
    assert note_arm_recipes({"svd": "another", "als": "two"}) == [], "once"


def test_a_recipe_that_comes_back_is_a_change_like_any_other(settings: Any) -> None:
    settings.BANDIT_KEEP_ON_CHANGE = 0.5
    served()
    for digest in ("one", "another", "one"):
        begun = note_arm_recipes({"svd": digest})
    policy = BanditPolicy.objects.get(version=begun[0])
    assert cells(policy)[7, "svd"][2:4] == pytest.approx((0.75, 0.75), rel=1e-3)
    assert cells(policy)[7, "als"][2] == pytest.approx(3.0, rel=1e-3)


def test_a_version_can_begin_with_nothing() -> None:
    served()
    policy = begin_version(arms=ARMS, reason="Anew", by=None, keep=dict.fromkeys(ARMS, 0.0))
    assert set(cells(policy).values()) == {(0, 0, 0.0, 0.0, 0.0)}


def test_other_arms_get_a_version_of_their_own_with_what_is_known_of_them() -> None:
    before = served()
    other = current_bandit(["svd", "graph"])
    assert (other.version, other.arms) == (before.version + 1, ("graph", "svd"))
    assert list(cells(other.policy)) == [(7, "svd")]
    assert current_bandit(ARMS).version == before.version, "theirs goes on"
    assert current_bandit(["graph", "svd"]).version == other.version, "whatever the order"


def test_what_the_version_before_still_earns_counts_for_that_one() -> None:
    before, viewer = make_policy(), make_user()
    (event_id,) = serve(make_log(before, ["svd"], viewer=viewer))
    policy = begin_version(arms=ARMS, reason="a test", by=None)
    say(viewer, event_id, "click")
    assert (cells(before)[7, "svd"][:2], cells(policy)[7, "svd"][:2]) == ((1, 1), (1, 0))
    assert not check(before.version).differing + check(policy.version).differing


def test_what_was_counted_is_believed() -> None:
    policy, viewer = make_policy(), make_user()
    unknown = current_bandit(ARMS).means(7)
    assert len(set(unknown.values())) == 1
    for _ in range(20):
        first, *_ = serve(make_log(policy, ["svd", "als"], viewer=viewer))
        say(viewer, first, "click")
    known = current_bandit(ARMS)
    assert known.means(7)["svd"] > 0.7 > 0.3 > known.means(7)["als"]
    assert known.beliefs.state.n_draws == pytest.approx(20, rel=1e-3)


def test_frozen_arms_serve_by_fixed_weights_until_they_are_resumed() -> None:
    policy, boss = make_policy(), make_staff(username="boss")
    weights = {"als": 0.5, "item_cf": 0.25, "svd": 0.25}
    freeze(version=policy.version, reason="It did harm", by=boss, weights=weights)
    frozen = current_bandit(ARMS)
    assert (frozen.policy.frozen, frozen.fixed_weights()) == (True, weights)
    assert begin_version(arms=ARMS, reason="a test", by=None).frozen, "a new version does not thaw it"
    resume(version=policy.version, reason="Mended", by=boss)
    policy.refresh_from_db()
    assert (policy.frozen, policy.frozen_weights) == (False, {})
    acts = AuditEntry.objects.filter(actor_name="boss").order_by("pk")
    assert [(one.action, one.reason) for one in acts] == [
        ("bandits.freeze", "It did harm"),
        ("bandits.resume", "Mended"),
    ]


def test_without_weights_frozen_arms_serve_equally() -> None:
    policy = make_policy()
    freeze(version=policy.version, reason="a test", by=None)
    assert current_bandit(ARMS).fixed_weights() == dict.fromkeys(ARMS, 1 / 3)


def refused(kind: type[ApplicationError], sentence: str) -> Any:
    return pytest.raises(kind, match=f"^{re.escape(sentence)}$")


def test_refuses_to_freeze_twice_or_to_resume_what_draws() -> None:
    version = make_policy().version
    with refused(Conflict, f"Version {version} of the bandit's policy is not frozen"):
        resume(version=version, reason="a test", by=None)
    freeze(version=version, reason="a test", by=None)
    with refused(Conflict, f"Version {version} of the bandit's policy is frozen already"):
        freeze(version=version, reason="a test", by=None)
    with refused(NotFound, "There is no version 9 of the bandit's policy"):
        resume(version=9, reason="a test", by=None)


@pytest.mark.parametrize("weights", [(1.0,), (0.5, 0.5, 0.5), (0.0, 0.5, 0.5)])
def test_refuses_weights_that_are_not_those_of_the_arms(weights: tuple[float, ...]) -> None:
    version = make_policy().version
    with refused(InvalidInput, "Give each of als, item_cf, svd a weight above 0, 1 in sum."):
        freeze(version=version, reason="a test", by=None, weights=dict(zip(ARMS, weights, strict=False)))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"terms": Terms(1, 1, explore=2)},
            "No bandit can draw on these terms: explore must lie",
        ),
        ({"terms": Terms(1e300, 1)}, "alpha is at most 1,000,000, not 1e+300."),
        ({"terms": Terms(1, 2e6)}, "beta is at most 1,000,000, not 2e+06."),
        ({"terms": Terms(1e-9, 1)}, "alpha is at least 0.000001, not 1e-09."),
        ({"terms": Terms(1, -1)}, "beta is at least 0.000001, not -1."),
        ({"terms": Terms(1, 1, half_life_days=4e3)}, "A half-life is at most 3,650 days, not 4,000."),
        ({"terms": Terms(1, 1, share_half_life_days=1e9)}, "A half-life is at most 3,650 days, not 1e+09."),
        ({"terms": Terms(1, 1, sharpness=1e-9)}, "sharpness is at least 0.001, not 1e-09."),
        ({"terms": Terms(1, 1, half_life_days=0.5)}, "A half-life is at least a day, not 0.5."),
        ({"keep": {"svd": 1.5}}, "Of an arm of the policy 0 to 1 can be kept, not 1.5 of 'svd'."),
        ({"keep": {"graph": 1}}, "Of an arm of the policy 0 to 1 can be kept, not 1 of 'graph'."),
    ],
)
def test_refuses_terms_that_make_no_sense(change: Any, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{re.escape(sentence)}"):
        begin_version(arms=ARMS, reason="a test", by=None, **change)
    assert not BanditPolicy.objects.exists()


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"terms": Terms(1, 1, max_share=0)}, ["/max_share"]),
        ({"terms": Terms(1, 1, explore=-1)}, ["/explore"]),
        ({"terms": Terms(1, 1, sharpness=2)}, ["/sharpness"]),
        ({"terms": Terms(0, 1)}, ["/alpha"]),
        ({"terms": Terms(1, 1, share_half_life_days=0.5)}, ["/share_half_life_days"]),
        ({"arms": []}, []),
    ],
)
def test_a_refusal_points_to_the_term_that_it_is_about(change: Any, pointers: list[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        begin_version(**{"arms": ARMS, "reason": "a test", "by": None} | change)
    assert [error.pointer for error in refusal.value.errors] == pointers


def test_a_landmark_is_renewed_before_weights_grow_too_large() -> None:
    now = timezone.now()
    policy = make_policy(half_life_days=1.0, started_at=now - timedelta(days=501))
    assert renew_landmarks(now=now) == [policy.version + 1]
    assert renew_landmarks(now=now) == []
