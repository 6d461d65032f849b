"""Experiments in the admin: set up by a form, started through the checklist, and ended, each by who may."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from apps.algorithms.assignment import bucket
from apps.core.clock import SimulatedClock
from apps.core.models import AuditEntry
from apps.experiments.admin.acts import ACTS
from apps.experiments.models import Decision, Experiment, Override, ServingPolicy
from apps.experiments.services import Design, design_of, group_of, pause, stop
from tests.experiments.setup import HYBRID, POPULAR, make_design, make_experiment, make_running
from tests.experiments.traffic import show
from tests.factories import make_staff, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable")]
VIEW = "experiments.view_experiment"
SEE_VIEWERS = "recommendations.view_viewer"


def log_in(client: Client, *permissions: str) -> None:
    client.force_login(make_staff(username="boss", permissions=[VIEW, *permissions]))


def url(page: str, key: str, *more: str) -> str:
    return reverse(f"admin:experiments_experiment_{page}", args=[key, *more])


def act(client: Client, name: str, key: str, **body: Any) -> HttpResponse:
    answer: Any = client.post(url("act", key, name), {"reason": "a test", **body})
    return answer


def body_of(design: Design, **changed: Any) -> dict[str, Any]:
    """What a browser sends of the form, as the form shows the design."""
    plain = ("key", "name", "hypothesis", "layer", "range_start", "range_end", "min_effect", "alpha", "power")
    body: dict[str, Any] = {name: getattr(design, name) for name in (*plain, "test", "horizon_days")}
    body |= {"goals": list(design.goals), "first_goal": design.goals[0], "ramp": "[]"}
    body |= {"guardrails": '{"ctr": 0.15}', "variant-TOTAL_FORMS": "2", "variant-INITIAL_FORMS": "0"}
    for number, one in enumerate(design.variants):
        row = {"name": one.name, "weight": one.weight, "strategy": '{"arms": {"popular": 1}}'}
        row |= {"is_control": "on"} if one.is_control else {}
        body |= {f"variant-{number}-{name}": value for name, value in row.items()}
    return body | changed


def test_the_design_of_what_has_ended_is_settled_and_says_so(client: Client) -> None:
    make_running("first")
    stop(key="first", by=make_staff(), reason="Enough")
    address = url("design", "first")
    log_in(client, "experiments.change_experiment", "experiments.start_experiment")
    said = "has ended, and stays as it was: make a new experiment."
    for send in (client.get, client.post):
        assert send(address).headers["Location"] == url("overview", "first")
        assert said in client.get(url("overview", "first")).content.decode()
    client.force_login(make_staff(permissions=[VIEW]))
    assert client.get(address).status_code == 403


def test_a_new_experiment_is_a_draft_with_what_the_form_says(client: Client) -> None:
    log_in(client, "experiments.add_experiment")
    design = make_design("first", goals=("clicks_per_unit", "ctr"))
    answer = client.post(reverse("admin:experiments_experiment_add"), body_of(design, languages="en, DE"))
    assert answer.headers["Location"] == url("overview", "first")
    stored = design_of(Experiment.objects.get())
    assert (stored.goals, stored.languages) == (("clicks_per_unit", "ctr"), ("en", "de"))
    assert [(one.name, one.weight, one.is_control) for one in stored.variants] == [
        ("control", 0.5, True),
        ("treatment", 0.5, False),
    ]
    assert AuditEntry.objects.get(action="experiments.create").actor_name == "boss"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"variant-0-weight": "0.9"}, "Make the weights sum to 1; they sum to 1.4."),
        ({"variant-1-is_control": "on"}, "One variant is the control, and only one."),
        ({"variant-1-strategy": '{"policy": "magic"}'}, "Choose one of: fixed, bandit."),
        ({"range_end": "0"}, "A range goes from 0 to 1, and ends above where it starts."),
        ({"guardrails": '{"luck": 1}'}, "Choose of: ctr, success_rate"),
        ({"ramp": '[{"coverage": 2}]'}, "Coverage lies above 0 and up to 1."),
    ],
)
def test_refuses_with_a_sentence_and_keeps_what_was_typed(
    client: Client, changed: dict[str, str], sentence: str
) -> None:
    log_in(client, "experiments.add_experiment")
    body = body_of(make_design("first", hypothesis="More clicks"), **changed)
    answer = client.post(reverse("admin:experiments_experiment_add"), body)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert sentence in page
    assert "More clicks" in page
    assert not Experiment.objects.exists()


def test_how_long_it_takes_is_told_and_nothing_stored(client: Client) -> None:
    log_in(client, "experiments.add_experiment")
    body = body_of(make_design("first"), **{"try": "1"})
    page = client.post(reverse("admin:experiments_experiment_add"), body).content.decode()
    assert "The last 14 days tell too little to say how long this takes." in page
    assert not Experiment.objects.exists()


def try_out(client: Client, **changed: Any) -> str:
    body = body_of(make_design("first"), **{"try": "1"}) | changed
    return " ".join(client.post(reverse("admin:experiments_experiment_add"), body).content.decode().split())


def test_how_long_it_takes_is_told_of_a_share_that_is_taken_to_be(client: Client) -> None:
    log_in(client, "experiments.add_experiment")
    goals = {"goals": ["clicked_units"], "first_goal": "clicked_units"}
    page = try_out(client, **goals, assumed_share="0.1", assumed_units="1000", min_effect="0.15")
    # (1.960 + 0.842)^2 * 4 * 0.09 / 0.015^2 units, and of other effects by the square of them.
    assert "finding it in 80% of cases takes 13 days, at 1,000 units a day." in page
    assert '<th scope="row" class="whole">15.0%</th> <td class="number">12,558</td>' in page
    assert '<th scope="row" class="whole">50.0%</th> <td class="number">1,130</td>' in page
    assert '<td class="number">2,825,597</td> <td class="number">–</td>' in page
    assert not Experiment.objects.exists()


def test_a_share_is_taken_to_be_of_goals_that_are_one_and_where_the_log_says_nothing(
    client: Client, clock: SimulatedClock
) -> None:
    log_in(client, "experiments.add_experiment")
    page = try_out(client, assumed_share="0.1", assumed_units="1000")
    assert "CTR is no share of units: to plan by one, make Units that click the deciding goal." in page
    running = make_running("seen", range_end=0.5)
    for number in range(40):
        show(running, "control", clicked=[1] if number % 2 else [])
    clock.move_by(timedelta(hours=1))
    cache.clear()
    goals = {"goals": ["clicked_units"], "first_goal": "clicked_units", "range_start": "0.5"}
    page = try_out(client, **goals, assumed_share="0.1", assumed_units="1000")
    assert "at 1 units a day" in page


@pytest.mark.parametrize(
    ("chosen", "strategy"),
    [
        ("popular", {"policy": "fixed", "arms": {"popular": 1.0}, "diversity": 0.5}),
        ("current", HYBRID),
    ],
)
def test_what_serves_is_chosen_without_writing_json(
    client: Client, chosen: str, strategy: dict[str, Any]
) -> None:
    log_in(client, "experiments.add_experiment", "experiments.change_experiment")
    body = body_of(make_design("first")) | {"variant-1-strategy": "", "variant-1-serves": chosen}
    assert client.post(reverse("admin:experiments_experiment_add"), body).status_code == 302
    (stored,) = (one for one in design_of(Experiment.objects.get()).variants if one.name == "treatment")
    assert stored.strategy == strategy
    form = client.get(url("design", "first")).context["variants"].forms[1]
    # What has a name is shown by it; hybrid of diversity 0 has none, and is shown as it is.
    by_name = chosen == "popular"
    assert form.initial["serves"] == (chosen if by_name else "")
    assert form.initial["strategy"] == (None if by_name else strategy)


def test_what_serves_is_chosen_or_written_and_not_both(client: Client) -> None:
    log_in(client, "experiments.add_experiment")
    body = body_of(make_design("first")) | {"variant-1-serves": "popular"}
    answer = client.post(reverse("admin:experiments_experiment_add"), body)
    assert answer.status_code == 400
    assert "Choose what serves, or write a strategy of your own, not both." in answer.content.decode()


def test_a_change_of_what_runs_says_that_a_phase_begins(client: Client) -> None:
    log_in(client, "experiments.change_experiment", "experiments.start_experiment")
    experiment = make_running("test")
    assert "begins a new phase" in client.get(url("design", "test")).content.decode()
    body = body_of(design_of(experiment), version=experiment.version, reason="Half of it", range_end=0.5)
    assert client.post(url("design", "test"), body).status_code == 302
    assert experiment.phases.count() == 2
    again = client.post(url("design", "test"), body)
    assert "was changed meanwhile" in again.content.decode()


def test_who_may_not_start_may_not_change_what_runs(client: Client) -> None:
    log_in(client, "experiments.change_experiment")
    experiment = make_running("test")
    body = body_of(design_of(experiment), version=experiment.version, reason="Half of it", range_end=0.5)
    assert client.get(url("design", "test")).status_code == 403
    assert client.post(url("design", "test"), body).status_code == 403
    assert url("design", "test") not in client.get(url("overview", "test")).content.decode()
    assert experiment.phases.count() == 1
    make_experiment("draft")
    assert client.get(url("design", "draft")).status_code == 200


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"guardrails": "[1]"}, "Give an object such as"),
        ({"guardrails": "5"}, "Give an object such as"),
        ({"guardrails": "true"}, "Give an object such as"),
        ({"ramp": "5"}, "Give a list of up to 20 steps such as"),
        ({"ramp": "true"}, "Give a list of up to 20 steps such as"),
        ({"variant-0-weight": "0", "variant-1-weight": "1"}, "The control needs a weight above 0"),
        (
            {"variant-0-weight": "1", "variant-1-weight": "0"},
            "A variant beside the control needs a weight",
        ),
        ({"variant-1-name": ""}, "Name the variant, or empty its row."),
        ({"assumed_units": "1e308", "assumed_share": "0.1"}, "Ensure this value is less than or equal to"),
        ({"assumed_units": "10", "assumed_share": "1e-200"}, "Ensure this value is greater than or equal to"),
        ({"assumed_share": "0.1"}, "Give both, the share and the units, or neither."),
        ({"assumed_share": "0.9", "assumed_units": "9", "min_effect": "2"}, "would be more than all units"),
    ],
)
def test_what_no_experiment_can_be_is_refused_in_words(
    client: Client, changed: dict[str, str], sentence: str
) -> None:
    log_in(client, "experiments.add_experiment")
    for button in ({}, {"try": "1"}):
        body = body_of(make_design("first")) | changed | button
        answer = client.post(reverse("admin:experiments_experiment_add"), body)
        assert answer.status_code == 400
        assert sentence in answer.content.decode()
    assert not Experiment.objects.exists()


def test_a_start_shows_the_checklist_and_takes_a_reason_where_it_warns(client: Client) -> None:
    log_in(client, "experiments.start_experiment")
    experiment = make_experiment("test", horizon_days=3)
    page = client.get(url("act", "test", "start")).content.decode()
    assert "A horizon of 3 days leaves out part of the week." in page
    refused = act(client, "start", "test", reason="", version=experiment.version)
    assert refused.status_code == 400
    assert "Test test needs a reason to start" in refused.content.decode()
    assert act(client, "start", "test", version=experiment.version).status_code == 302
    assert Experiment.objects.get().state == "running"


@pytest.mark.parametrize("name", ACTS)
def test_each_act_is_for_its_own_permission_alone(client: Client, name: str) -> None:
    others = {act.permission for act in ACTS.values()} - {ACTS[name].permission}
    log_in(client, *others)
    make_running("test")
    assert client.get(url("act", "test", name)).status_code == 403
    assert act(client, name, "test", variant="treatment").status_code == 403
    assert url("act", "test", name) not in client.get(url("overview", "test")).content.decode()
    assert Experiment.objects.get().state == "running"


@pytest.mark.parametrize(
    ("name", "state"), [("pause", "paused"), ("stop", "completed"), ("roll_back", "rolled_back")]
)
def test_acts_ask_for_a_reason_and_do_it(client: Client, name: str, state: str) -> None:
    log_in(client, ACTS[name].permission)
    make_running("test")
    assert act(client, name, "test", reason="").status_code == 400
    assert act(client, name, "test").headers["Location"] == url("overview", "test")
    assert Experiment.objects.get().state == state
    assert Decision.objects.latest("id").by == "boss"


def test_what_is_shipped_serves_everybody_and_can_be_undone(client: Client) -> None:
    names = ("experiments.ship_experiment", "experiments.roll_back_experiment", "experiments.view_decision")
    log_in(client, *names)
    make_running("test")
    assert act(client, "ship", "test", variant="treatment").status_code == 302
    assert ServingPolicy.objects.get().strategy == POPULAR
    decision = Decision.objects.latest("id")
    body = {"action": "undo", "_selected_action": str(decision.pk), "reason": "It was not"}
    client.post(reverse("admin:experiments_decision_changelist"), body)
    assert ServingPolicy.objects.get().strategy == HYBRID
    assert Experiment.objects.get().state == "running"


def test_a_refusal_by_the_service_is_said_on_the_page(client: Client, boss: Any) -> None:
    client.force_login(make_staff(permissions=[VIEW, "experiments.stop_experiment"]))
    make_running("test")
    stop(key="test", by=boss, reason="a test")
    answer = act(client, "stop", "test")
    assert answer.status_code == 400
    assert "Test test is completed, not running or paused." in answer.content.decode()


def test_a_viewer_can_be_put_into_a_variant(client: Client) -> None:
    log_in(client, "experiments.override_experiment", SEE_VIEWERS)
    make_running("test")
    viewer = make_user("nadia")
    page = client.get(url("debug", "test"), {"viewer": "nadia"}).content.decode()
    assert "assigned by the split" in page
    group = group_of(viewer.unit_key, "test")
    for salt in (group.running.layer_salt, group.running.coverage_salt, group.running.split_salt):
        assert salt in page
        assert f"{bucket(salt, str(viewer.unit_key)):.6f}" in page
    for asked in ("0 to 1 is the experiment’s", "below 1 takes part", "meets what is asked"):
        assert asked in page
    body = {"unit": str(viewer.unit_key), "variant": "treatment", "reason": "a look"}
    client.post(url("override", "test"), body)
    assert Override.objects.get().variant == "treatment"
    page = client.get(url("debug", "test"), {"viewer": str(viewer.unit_key)}).content.decode()
    assert "put there by hand, so not counted" in page
    assert "put into treatment by hand" in page


@pytest.mark.parametrize("asked", ["nobody-at-all", "²", "9" * 30])
def test_a_viewer_that_is_none_is_said(client: Client, asked: str) -> None:
    log_in(client, SEE_VIEWERS)
    make_running("test")
    answer = client.get(url("debug", "test"), {"viewer": asked})
    assert answer.status_code == 400
    assert f"There is no viewer &#x27;{asked}&#x27;, and it is no unit key." in answer.content.decode()


def test_who_may_not_see_viewers_asks_by_unit_key_and_reads_no_name(client: Client) -> None:
    log_in(client)
    make_running("test")
    viewer = make_user("nadia")
    said = "Give a unit key: names and numbers are for who may see viewers."
    assert said in client.get(url("debug", "test"), {"viewer": "nadia"}).content.decode()
    page = client.get(url("debug", "test"), {"viewer": str(viewer.unit_key)}).content.decode()
    assert "assigned by the split" in page
    assert "nadia" not in page


def test_where_a_viewer_stands_goes_by_the_language_of_the_request(client: Client) -> None:
    log_in(client)
    make_running("test", languages=("en",))
    asked = {"viewer": str(make_user("nadia").unit_key)}
    assert "not targeted: the language is unknown" in client.get(url("debug", "test"), asked).content.decode()
    page = client.get(url("debug", "test"), asked | {"language": "EN"}).content.decode()
    assert "assigned by the split" in page


def test_a_link_puts_a_browser_into_a_variant_once_it_says_yes(client: Client) -> None:
    log_in(client, "experiments.override_experiment")
    make_running("test")
    page = client.get(url("debug", "test")).content.decode()
    link = page.split('treatment: <a href="http://testserver')[1].split('"')[0]
    visitor = Client()
    visitor.get("/")
    assert "See “treatment”?" in visitor.get(link).content.decode()
    assert not Override.objects.exists()
    page = visitor.post(link, follow=True).content.decode()
    assert "You see “treatment” of Test test now, and are not counted." in page
    assert (Override.objects.get().variant, Override.objects.get().reason) == (
        "treatment",
        "Followed a link of boss",
    )
    pause(key="test", by=make_staff(), reason="a test")
    assert visitor.get(link + "x").status_code == 400
