"""A simulated public on this site: served and answering through the services, by a clock of its own."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.algorithms.simulation import EQUAL_ARMS, REFERENCE
from apps.bandits.services import check_all
from apps.core import clock
from apps.core.errors import InvalidInput, NotFound
from apps.events.models import Feedback, MovieDay, RecommendationEvent, Slate, SlateAssignment
from apps.experiments.models import Decision, Experiment, UnitTotal
from apps.recommendations.simulating import Plan, Tally, simulate
from apps.training.models import Recipe, Rollout
from tests.experiments.setup import make_experiment
from tests.factories import make_staff, make_user
from tests.fitting import fit_beside
from tests.house import House
from tests.recommendations.test_bandit import STRATEGY
from tests.recommendations.test_recommend import ask, serve

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 2, tzinfo=UTC)
SMALL = Plan(start=START, days=2, n_viewers=6, visits=1.0, length=6)
REAL = (
    "The log holds lists of real visitors: simulated ones would teach the bandit and the models, and "
    "stand in every report beside them. Name a database of its own in DATABASE_URL, or pass --beside-real"
)


def play(plan: Plan = SMALL) -> Tally:
    *_, tally = simulate(plan)
    return tally


def test_the_log_holds_what_the_tally_says(house: House) -> None:
    tally = play()
    assert tally.slates > 5
    assert Slate.objects.filter(user__is_simulated=True, counted=True).count() == tally.slates
    assert RecommendationEvent.objects.count() == tally.films
    assert Feedback.objects.count() == tally.feedback > 0
    assert sum(shown for shown, _ in tally.arms.values()) == tally.films
    assert 0 < tally.expected <= tally.films


def test_everything_happens_within_the_simulated_days(house: House) -> None:
    play()
    end = START + timedelta(days=2)
    for moments in (
        Slate.objects.values_list("created_at", flat=True),
        RecommendationEvent.objects.values_list("created_at", flat=True),
        Feedback.objects.values_list("occurred_at", flat=True),
        Feedback.objects.values_list("received_at", flat=True),
    ):
        assert all(START <= at < end for at in moments)
    assert set(MovieDay.objects.values_list("day", flat=True)) == {START.date(), START.date() + timedelta(1)}


def test_lists_are_made_in_the_situation_of_the_simulated_hour(house: House) -> None:
    play(replace(SMALL, n_viewers=12))
    zone = timezone.get_default_timezone()
    for slate in Slate.objects.all():
        hour = slate.created_at.astimezone(zone).hour
        assert slate.context["time_of_day"] == ("night", "morning", "afternoon", "evening")[hour // 6]


def test_the_bandits_counts_are_those_of_the_log(house: House) -> None:
    serve(STRATEGY)
    tally = play(replace(SMALL, n_viewers=12))
    (one,) = check_all()
    assert one.differing == []
    assert set(tally.arms) <= {*STRATEGY["arms"], "hybrid", "popular"}


def test_a_draft_runs_from_the_first_day_on_and_is_counted_and_watched(house: House) -> None:
    make_experiment("test", guardrails={"ctr": 0.5})
    play(replace(SMALL, n_viewers=12, experiment="test"))
    experiment = Experiment.objects.get()
    assert (experiment.state, experiment.started_at) == ("running", START)
    (started,) = Decision.objects.filter(kind="start")
    assert (started.at, started.reason) == (START, "Simulated traffic")
    lists = SlateAssignment.objects.filter(experiment_key="test", counted=True)
    assert lists.count() == Slate.objects.count() > 5
    assert UnitTotal.objects.count() == Slate.objects.values("unit_key").distinct().count()
    assert experiment.phases.get().verdict["outcome"] == "wait"


def test_what_cannot_start_is_said_before_anybody_is_made(house: House) -> None:
    with pytest.raises(NotFound, match=r"^There is no experiment 'none'\.$"):
        play(replace(SMALL, experiment="none"))
    assert not User.objects.filter(is_simulated=True).exists()


def test_what_is_said_twice_changes_nothing(house: House) -> None:
    serve(STRATEGY)
    tally = play(replace(SMALL, n_viewers=12, tastes=replace(EQUAL_ARMS, base=2.0, lost=0.0, doubled=1.0)))
    assert tally.replays > 20
    assert Feedback.objects.count() == tally.feedback
    assert [one.differing for one in check_all()] == [[]]


def test_the_last_part_of_a_day_is_played_too(house: House) -> None:
    """Two days from noon on end at noon, and the last morning has its page views."""
    play(replace(SMALL, start=START + timedelta(hours=12), n_viewers=20))
    last = Slate.objects.latest("created_at").created_at
    assert START + timedelta(days=2, hours=6) < last < START + timedelta(days=2, hours=12)


def test_between_two_days_the_time_is_the_machines(house: House) -> None:
    for _ in simulate(SMALL):
        assert abs(clock.now() - timezone.now()) < timedelta(seconds=5)


def test_the_same_seed_plays_the_same_page_views(house: House) -> None:
    play()
    first = list(Slate.objects.order_by("created_at").values_list("created_at", flat=True))
    play()
    both = list(Slate.objects.order_by("created_at").values_list("created_at", flat=True))
    assert sorted(first * 2) == both


def test_a_public_that_likes_nothing_is_silent_but_for_what_it_refuses(house: House) -> None:
    tally = play(replace(SMALL, n_viewers=12, tastes=replace(REFERENCE, base=-60.0)))
    assert not Feedback.objects.exclude(kind="dismiss").exclude(kind="rate", value__lte=2).exists()
    assert tally.expected == pytest.approx(0)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"days": 0}, "days must lie between 1 and 366, not 0"),
        ({"n_viewers": 0}, "n_viewers must lie between 1 and 1000000, not 0"),
        ({"length": 101}, "length must lie between 1 and 100, not 101"),
        ({"visits": 0.0}, "visits must lie above 0 and up to 50, views between 1 and 50"),
        ({"watched_every": timedelta(hours=7)}, "watched_every must divide a day, and be a minute or more"),
        ({"watched_every": timedelta(days=2)}, "watched_every must divide a day, and be a minute or more"),
    ],
)
def test_a_plan_that_cannot_be_played_is_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        replace(SMALL, **wrong)
    assert refusal.value.detail == sentence


def test_the_command_says_that_its_traffic_is_simulated(house: House) -> None:
    out = StringIO()
    call_command("simulate", days=1, viewers=8, visits=2.0, json=True, stdout=out)
    result = json.loads(out.getvalue())
    assert result["traffic"] == "simulated"
    assert result["slates"] == Slate.objects.count() > 0
    assert result["bandit_cells_that_differ"] == 0


def test_the_command_rolls_a_recipe_out_to_people_with_the_tastes_of_raters(house: House) -> None:
    Recipe.objects.create(name="bold")
    fit_beside("bold")
    out = StringIO()
    call_command(
        "simulate", days=1, viewers=60, visits=2.0, public="raters", rollout="bold", json=True, stdout=out
    )
    assert json.loads(out.getvalue())["traffic"] == "simulated"
    rollout = Rollout.objects.get()
    assert (rollout.status, rollout.reason, rollout.is_timed) == ("running", "Simulated traffic", True)
    assert rollout.started_at == Experiment.objects.get().started_at
    assert rollout.started_at < Slate.objects.earliest("created_at").created_at
    # Of 60 some 52 come, each covered with a chance of a fifth: nobody is once in a hundred thousand times.
    assert SlateAssignment.objects.filter(experiment_key=rollout.experiment_id).exists()


def test_a_recipe_that_passed_no_gate_is_not_simulated(house: House) -> None:
    Recipe.objects.create(name="raw")
    with pytest.raises(CommandError, match=r"^Recipe 'raw' has no version that passed the gate: fit it"):
        call_command("simulate", days=1, viewers=3, rollout="raw")
    assert not User.objects.filter(is_simulated=True).exists()


def test_raters_are_asked_for_where_there_are_none(db: None) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("simulate", days=1, viewers=3, public="raters")
    assert str(refusal.value) == (
        "Nobody who came with a data set liked a film: load one first (manage.py load_movielens), or choose"
        " another --public"
    )


def test_a_log_of_real_visitors_is_left_alone(house: House) -> None:
    ask(make_user())
    with pytest.raises(CommandError, match="real visitors") as refusal:
        call_command("simulate", days=1, viewers=3)
    assert str(refusal.value) == REAL
    assert not User.objects.filter(is_simulated=True).exists()
    call_command("simulate", days=1, viewers=3, beside_real=True, stdout=StringIO())
    assert User.objects.filter(is_simulated=True).count() == 3


def test_every_page_of_the_admin_says_that_traffic_is_simulated(house: House, client: Client) -> None:
    client.force_login(make_staff(username="boss", is_superuser=True))
    assert b"Simulated traffic" not in client.get("/admin/").content
    play(replace(SMALL, days=1))
    for page in ("/admin/", "/admin/bandits/banditpolicy/", "/admin/accounts/user/?kind=simulated"):
        assert b"Simulated traffic" in client.get(page).content, page
    assert b"simulated-" in client.get("/admin/accounts/user/?kind=simulated").content
    assert b"simulated-" not in client.get("/admin/accounts/user/?kind=guest").content
