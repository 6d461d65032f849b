"""A bandit's arms share a list: who owns its slots, what is logged and what is counted."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from django.db import DatabaseError
from django.test import Client

from apps.accounts.models import User
from apps.algorithms.strategy import DEFAULT_BANDIT_ARMS
from apps.bandits.models import BanditPolicy, BanditState
from apps.bandits.services import check, current_bandit, freeze
from apps.events.models import RecommendationEvent, Slate, Surface
from apps.experiments.models import ServingPolicy
from apps.recommendations.placing import Folding
from apps.recommendations.replaying import replay
from apps.recommendations.services import FeedbackRequest, give_feedback, recommend, recommend_page
from apps.recommendations.slates import ServedSlate, SlateRequest
from apps.recommendations.viewer import read_viewer
from tests.callers import bearer
from tests.factories import make_rating, make_staff, make_user
from tests.house import House
from tests.recommendations.test_own_arms import train_without
from tests.recommendations.test_recommend import ask, serve

pytestmark = pytest.mark.django_db

ARMS = ["svd", "als", "item_cf", "popular"]
STRATEGY = {"policy": "bandit", "arms": ARMS, "slots": 3, "diversity": 0.5}
URL = "/api/v1/movies/recommendations"


@pytest.fixture
def drawing(house: House) -> None:
    serve(STRATEGY)


def row_of(slate: ServedSlate) -> Slate:
    return Slate.objects.get(pk=slate.recommendation_id)


def assert_counted() -> None:
    for version in BanditPolicy.objects.values_list("version", flat=True):
        assert check(version).differing == []


def test_the_arms_drawn_share_a_list_in_equal_parts(drawing: None, fan: User) -> None:
    row = row_of(ask(fan, n=9))
    drawn = row.posterior["arms"]
    assert len(set(drawn)) == 3
    assert Counter(row.owners) == dict.fromkeys(drawn, 3)
    assert (row.strategy, row.bandit_version, row.counted) == ("bandit", 1, True)
    assert row.strategy_config == STRATEGY


def test_all_that_the_arms_were_drawn_by_is_logged(drawing: None, fan: User) -> None:
    bandit = current_bandit(ARMS)
    row = row_of(ask(fan, n=6))
    told, context = row.posterior, row.context_index
    assert context is not None
    again = bandit.beliefs.select(context, 3, np.random.default_rng(row.seed))
    assert told["arms"] == [bandit.arms[arm] for arm in again.arms.tolist()]
    for name, values in {
        "alpha": bandit.beliefs.alpha[context],
        "beta": bandit.beliefs.beta[context],
        "draws": again.draws,
        "propensities": again.rank_propensities,
    }.items():
        assert told[name] == dict(zip(sorted(ARMS), values.tolist(), strict=True))
    assert (told["explored"], told["capped"], told["sharpness"]) == (again.explored, False, 0.3)
    for event in RecommendationEvent.objects.filter(slate=row, propensity__isnull=False):
        assert event.propensity == pytest.approx(sum(told["propensities"][event.algorithm]) / 3)
        assert (event.bandit_context, event.weight, event.explored) == (context, 1.0, told["explored"])


def test_the_answer_says_what_is_expected_of_each_arm(drawing: None, fan: User) -> None:
    ask(fan)
    bandit = current_bandit(ARMS)
    body = bearer(fan).send("GET", f"{URL}?n=6").json()
    assert body["strategy"] == "bandit"
    means = bandit.means(Slate.objects.get(pk=body["recommendation_id"]).context_index or 0)
    for slot in body["recommendations"]:
        assert slot["confidence"] == pytest.approx(means[slot["algorithm"]], rel=1e-6)
        assert slot["propensity"] is None or 0 < slot["propensity"] < 1
    events = RecommendationEvent.objects.filter(slate=body["recommendation_id"]).order_by("position")
    told = [slot["confidence"] for slot in body["recommendations"]]
    assert list(events.values_list("algorithm_confidence", flat=True)) == pytest.approx(told)


def test_what_is_shown_and_clicked_is_in_the_state_at_once(drawing: None, fan: User) -> None:
    slate = ask(fan, n=6)
    counted = RecommendationEvent.objects.filter(slate=slate.recommendation_id, propensity__isnull=False)
    by_arm = Counter(counted.values_list("algorithm", flat=True))
    shown = {row.arm: row.shown for row in BanditState.objects.filter(shown__gt=0)}
    assert shown == by_arm
    event = counted.earliest("position")
    give_feedback(FeedbackRequest(viewer=fan, movie_id=event.movie_id, kind="click", event_id=event.pk))
    assert BanditState.objects.get(arm=event.algorithm).successes == 1
    first = BanditState.objects.filter(first_draws__gt=0).values_list("arm", flat=True)
    assert list(first) == row_of(slate).posterior["arms"][:1]
    assert_counted()


@pytest.mark.parametrize("stars", [None, 1.0], ids=["no history", "nothing liked"])
def test_of_whom_an_arm_knows_nothing_the_bandit_draws_nothing(house: House, stars: float | None) -> None:
    """Else an arm that asks for no history would get the slots of those that do."""
    serve({"policy": "bandit", "arms": ["item_cf", "long_tail", "popular"], "slots": 2})
    newcomer = make_user()
    if stars is not None:
        make_rating(newcomer, house.horror[0], stars)
    row = row_of(ask(newcomer, n=10))
    assert (row.strategy, row.bandit_version, row.counted) == ("bandit", None, True)
    assert set(row.owners) == {"hybrid"}
    assert (row.posterior, BanditPolicy.objects.count()) == ({}, 0)
    assert replay(row.pk).is_same


def test_a_frozen_bandit_leaves_newcomers_alone_too(drawing: None, fan: User) -> None:
    ask(fan)
    freeze(version=1, reason="a test", by=None)
    assert row_of(ask(make_user())).bandit_version is None
    assert row_of(ask(fan)).bandit_version == 1


def test_where_an_arm_runs_out_there_is_no_propensity_and_nothing_is_counted(
    house: House, fan: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve({"policy": "bandit", "arms": ["item_cf", "popular"], "slots": 2})
    monkeypatch.setattr(Folding, "can_all_place", lambda folding, arms: True)
    slate = ask(make_user(), n=10)
    passed = [
        slot.propensity is None and slot.algorithm == "popular"
        for slot, owner in zip(slate.slots, row_of(slate).owners, strict=True)
        if owner == "item_cf"
    ]
    assert passed == [True] * 5
    assert sum(BanditState.objects.values_list("shown", flat=True)) == 5
    assert_counted()


def test_only_the_list_that_counts_is_counted(drawing: None, house: House, fan: User) -> None:
    home = [Surface.FOR_YOU, Surface.HOME_POPULAR, Surface.BECAUSE]
    requests = [
        SlateRequest(
            viewer=fan,
            unit_key=fan.unit_key,
            surface=surface,
            n=3,
            anchor=house.horror[0].pk if surface == Surface.BECAUSE else None,
        )
        for surface in home
    ]
    slates = recommend_page(requests, read_viewer(fan, fan.unit_key))
    assert [row_of(slate).bandit_version for slate in slates] == [1, None, None]
    ask(fan, n=6, genre="Comedy")
    ask(fan, n=6, counted=False)
    assert sum(BanditState.objects.values_list("shown", flat=True)) <= 3
    assert_counted()


# --- Fixed weights in its place ------------------------------------------------------------------


def test_a_bandit_that_is_suspended_serves_equally_and_goes_on_counting(drawing: None, fan: User) -> None:
    ServingPolicy.objects.update(bandit_suspended=True)
    slate = ask(fan, n=12)
    row = row_of(slate)
    assert row.posterior == {"weights": dict.fromkeys(sorted(ARMS), 0.25)}
    assert {slot.propensity for slot in slate.slots} <= {0.25, None}
    assert (row.strategy, row.bandit_version) == ("bandit", 1)
    n_counted = sum(slot.propensity is not None for slot in slate.slots)
    assert sum(BanditState.objects.values_list("shown", flat=True)) == n_counted > 0
    assert_counted()


def test_a_frozen_bandit_serves_by_the_weights_it_was_frozen_at(drawing: None, fan: User) -> None:
    version = current_bandit(ARMS).version
    weights = {"svd": 0.97, "als": 0.01, "item_cf": 0.01, "popular": 0.01}
    freeze(version=version, reason="a test", by=None, weights=weights)
    slate = ask(fan, n=10)
    assert Counter(row_of(slate).owners)["svd"] >= 7, "fails once in 40 million runs"
    assert {slot.propensity for slot in slate.slots if slot.algorithm == "svd"} <= {0.97, None}
    assert not BanditState.objects.filter(first_draws__gt=0).exists()
    assert_counted()


@pytest.mark.parametrize("where", ["apps.bandits.beliefs._read", "apps.bandits.beliefs.Beliefs.select"])
def test_a_bandit_that_fails_gives_popular_films_and_says_so(
    drawing: None, fan: User, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def broken(*arguments: Any, **options: Any) -> None:
        raise DatabaseError("a bandit's bug")

    monkeypatch.setattr(where, broken)
    slate = ask(fan, n=5)
    row = row_of(slate)
    assert (slate.degraded, row.bandit_version, row.posterior) == ("scoring_failed", None, {})
    assert {slot.propensity for slot in slate.slots} == {None}
    assert not BanditState.objects.exists()


# --- By request ----------------------------------------------------------------------------------


def test_staff_ask_for_the_bandit_of_a_site_that_has_none_and_are_not_counted(house: House) -> None:
    staff = make_staff()
    body = bearer(staff).send("GET", f"{URL}?n=6&use_bandit=true").json()
    row = Slate.objects.get(pk=body["recommendation_id"])
    assert (body["strategy"], body["overridden_by"], row.counted) == ("bandit", "use_bandit", False)
    assert row.strategy_config["arms"] == list(DEFAULT_BANDIT_ARMS)
    assert not BanditState.objects.exists()


def test_staff_ask_for_a_site_without_its_bandit(drawing: None) -> None:
    staff = make_staff()
    body = bearer(staff).send("GET", f"{URL}?n=6&use_bandit=false").json()
    assert (body["strategy"], body["overridden_by"]) == ("hybrid", "use_bandit")
    body = bearer(staff).send("GET", f"{URL}?n=6&use_bandit=true").json()
    row = Slate.objects.get(pk=body["recommendation_id"])
    assert row.strategy_config["arms"] == ARMS, "the site's own, where it has one"


def test_viewers_do_not_choose(client: Client, drawing: None) -> None:
    answer = bearer(make_user()).send("GET", f"{URL}?use_bandit=true")
    assert answer.status_code == 403
    assert answer.json()["detail"] == "Only staff, and programs that act for users, may switch the bandit"


def test_a_model_without_an_arm_of_the_bandit_is_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    train_without(monkeypatch, "graph")
    answer = bearer(make_staff()).send("GET", f"{URL}?use_bandit=true")
    assert answer.status_code == 409
    said = "The model that serves now was fitted without graph: leave use_bandit out, or try again after"
    assert answer.json()["detail"] == f"{said} the next training"


def test_a_preview_counts_nothing(drawing: None, fan: User) -> None:
    from apps.recommendations.services.recommending import decide

    request = SlateRequest(viewer=fan, unit_key=fan.unit_key, surface=Surface.API, n=5)
    assert decide(request).bandit is not None
    assert not BanditState.objects.exists()
    recommend(request)
    assert BanditState.objects.exists()
