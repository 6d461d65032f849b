"""Processes that give feedback, ask for lists and rebuild at once: no count lost, none doubled."""

import json
from typing import Any

import pytest
from django.db.models import Count, Q, Sum

from apps.bandits.models import BanditPolicy, BanditState
from apps.bandits.services import check, rebuild
from apps.events.models import Feedback, RecommendationEvent, Slate
from apps.experiments.services import change_policy
from apps.recommendations.services import recommend
from apps.recommendations.slates import SlateRequest
from tests.bandits.log import cells
from tests.factories import make_rating, make_staff, make_user
from tests.house import House, make_house
from tests.processes import run_at_once

PROCESSES = 6
VIEWERS = 4
SLATES_EACH = 8
LENGTH = 8
STRATEGY = {"policy": "bandit", "arms": ["als", "item_cf", "popular", "svd"], "slots": 3}

TALK = """
from apps.accounts.models import User
from apps.bandits.services import rebuild
from apps.recommendations.services import FeedbackRequest, give_feedback, recommend
from apps.recommendations.slates import SlateRequest
viewers = User.objects.in_bulk()
n_new = 0
for act in order:
    if act["do"] == "rebuild":
        rebuild(act["version"])
    elif act["do"] == "ask":
        viewer = viewers[act["viewer"]]
        slate = recommend(SlateRequest(viewer=viewer, unit_key=viewer.unit_key, surface="api", n=8))
        assert slate.strategy == "bandit" and not slate.degraded
    else:
        said = {name: act[name] for name in ("movie_id", "kind", "event_id", "client_id")}
        n_new += give_feedback(FeedbackRequest(viewer=viewers[act["viewer"]], **said)).is_new
print(json.dumps(n_new))
"""


def shown_events(house: House) -> list[RecommendationEvent]:
    """Of lists that a bandit drew, for each of some viewers of whom its arms know something."""
    for number in range(VIEWERS):
        viewer = make_user()
        for film in house.horror[number : number + 3]:
            make_rating(viewer, film, 5.0)
        for _ in range(2):
            recommend(SlateRequest(viewer=viewer, unit_key=viewer.unit_key, surface="api", n=LENGTH))
    return list(RecommendationEvent.objects.order_by("pk"))


def acts_on(events: list[RecommendationEvent]) -> list[dict[str, Any]]:
    """A click for each, of every third one a thumb down after it, and of every sixth that taken back."""
    acts = []
    for number, event in enumerate(events):
        kinds = ["click", *["thumbs_down"] * (number % 3 == 0), *["thumbs_clear"] * (number % 6 == 0)]
        for kind in kinds:
            said = {"viewer": event.user_id, "movie_id": event.movie_id, "event_id": event.pk}
            acts.append({"do": "say", "kind": kind, "client_id": f"{event.pk}-{kind}", **said})
    return acts


def turn(number: int, acts: list[dict[str, Any]], viewers: list[int]) -> list[dict[str, Any]]:
    """What one process does: each act is done by two of them, from two ends, with lists between."""
    own = [act for spot, act in enumerate(acts) if spot % (PROCESSES // 2) == number // 2]
    mixed = own if number % 2 else own[::-1]
    for spot in range(SLATES_EACH):
        mixed.insert(3 * spot, {"do": "ask", "viewer": viewers[spot % len(viewers)]})
    if number == 0:
        mixed.insert(len(mixed) // 2, {"do": "rebuild", "version": 1})
    return mixed


def by_arm() -> dict[str, tuple[int, int]]:
    """Films shown and successes, as the log has them."""
    counted = RecommendationEvent.objects.exclude(propensity=None).values("algorithm").order_by("algorithm")
    successes = Count("pk", filter=Q(outcome="success"))
    rows = counted.annotate(shown=Count("pk"), successes=successes)
    return {row["algorithm"]: (row["shown"], row["successes"]) for row in rows}


@pytest.mark.django_db(transaction=True)
def test_what_is_done_at_once_is_counted_once() -> None:
    house = make_house()
    change_policy(strategy=STRATEGY, recipe="standard", reason="a test", by=make_staff())
    events = shown_events(house)
    acts, viewers = acts_on(events), sorted({event.user_id for event in events if event.user_id})
    new = run_at_once(TALK, [turn(number, acts, viewers) for number in range(PROCESSES)])
    assert sum(map(json.loads, new)) == len(acts) == Feedback.objects.count()
    assert Slate.objects.count() == 2 * VIEWERS + PROCESSES * SLATES_EACH
    held = BanditState.objects.values("arm").order_by("arm")
    sums = held.annotate(n_shown=Sum("shown"), n_successes=Sum("successes"))
    assert {row["arm"]: (row["n_shown"], row["n_successes"]) for row in sums} == by_arm()
    policy = BanditPolicy.objects.get()
    assert check(policy.version).differing == []
    before = cells(policy)
    rebuild(policy.version)
    assert cells(policy) == {cell: pytest.approx(sums) for cell, sums in before.items()}
