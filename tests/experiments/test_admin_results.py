"""What an experiment found, in the admin."""

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.core.clock import SimulatedClock
from apps.experiments.models import Experiment
from apps.experiments.services import change_experiment, design_of, roll_up, watch
from tests.experiments.setup import HYBRID, POPULAR, make_experiment, make_running
from tests.experiments.test_admin_acts import url
from tests.experiments.traffic import show
from tests.factories import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable")]


@pytest.fixture(autouse=True)
def staff(client: Client) -> None:
    client.force_login(make_staff(permissions=["experiments.view_experiment"]))


def play(experiment: Experiment, n_units: int) -> None:
    """Each second unit clicks; of the treatment all do."""
    for number in range(n_units):
        variant = ("control", "treatment")[number % 2]
        clicked = [1] if variant == "treatment" or number % 4 else []
        show(experiment, variant, clicked=clicked)
    roll_up()


def test_a_draft_shows_what_keeps_it_from_starting(client: Client) -> None:
    make_experiment("test", horizon_days=3)
    page = client.get(url("overview", "test")).content.decode()
    assert "A horizon of 3 days leaves out part of the week." in page
    assert "Needs a reason" in page


def test_an_experiment_without_traffic_says_so(client: Client) -> None:
    make_running("test")
    page = client.get(url("overview", "test")).content.decode()
    assert "Too little was counted to say anything yet." in page


def test_the_page_has_the_sentence_the_units_and_the_ledger(client: Client) -> None:
    experiment = make_running("test")
    play(experiment, 40)
    page = client.get(url("overview", "test")).content.decode()
    assert "SRM ok; day 1 of 28" in page
    assert "may differ by chance alone" in page
    assert "Started" in page
    rows = {row["metric"]: row for row in results(client, experiment)}
    assert (float(rows["CTR"]["control"]), float(rows["CTR"]["treatment"])) == (pytest.approx(1 / 6), 1 / 3)


def results(client: Client, experiment: Experiment) -> list[dict[str, str]]:
    return lines_of(client, "goals_csv", experiment.key)


def test_the_p_of_the_end_says_since_when_it_may_be_read(client: Client, clock: SimulatedClock) -> None:
    experiment = make_running("test", horizon_days=7)
    play(experiment, 40)
    assert {row["not_before"] for row in results(client, experiment)} == {"from 2026-03-09"}
    page = client.get(url("overview", "test")).content.decode()
    assert 'is-faded">' in page
    assert "<small>from 2026-03-09</small>" in page
    clock.move_by(timedelta(days=7))
    assert {row["not_before"] for row in results(client, experiment)} == {""}
    assert 'is-faded">' not in client.get(url("overview", "test")).content.decode()


def test_results_of_a_phase_before_stay_to_be_read(client: Client, boss: User) -> None:
    experiment = make_running("test")
    play(experiment, 40)
    design = replace(design_of(experiment), min_effect=0.1)
    change_experiment(design=design, by=boss, reason="More is enough")
    page = client.get(url("overview", "test")).content.decode()
    assert "no units yet" in page
    assert '<a href="?phase=1">Phase 1</a>' in page
    page = client.get(url("overview", "test"), {"phase": "1"}).content.decode()
    assert "These are the results of phase 1, which has ended" in page
    assert "SRM ok; day 1 of 28" in page
    assert "It has ended." in page
    assert f'{url("goals_csv", "test")}?phase=1"' in page
    for name in ("goals_csv", "days_csv"):
        before = client.get(url(name, "test"), {"phase": "1"}).getvalue()  # type: ignore[attr-defined] # streamed
        assert before != client.get(url(name, "test")).getvalue()  # type: ignore[attr-defined] # streamed
        assert client.get(url(name, "test"), {"phase": "3"}).status_code == 404
    assert client.get(url("overview", "test"), {"phase": "3"}).status_code == 404
    assert client.get(url("overview", "test"), {"phase": "x"}).status_code == 200


def test_each_treatment_has_its_days_as_the_headline_reads_them(client: Client) -> None:
    strategies = {"control": HYBRID, "one": POPULAR, "two": POPULAR}
    experiment = make_running("test", strategies=strategies)
    for number in range(120):
        show(experiment, ("control", "one", "two")[number % 3], clicked=[1] if number % 4 else [])
    roll_up()
    days = {row["variant"]: row for row in lines_of(client, "days_csv", "test")}
    rows = [row for row in results(client, experiment) if not row["reading"].startswith("guardrail")]
    goals = {row["variant"]: row for row in rows}
    assert days.keys() == goals.keys() == {"one", "two"}
    for name, row in days.items():
        assert [row["low"], row["high"]] == [goals[name]["low"], goals[name]["high"]]


@pytest.mark.parametrize(
    ("name", "field", "first"),
    [("days_csv", "day", "1"), ("segments_csv", "segment", "regular"), ("age_csv", "age", "0")],
)
def test_each_table_is_a_file_too_and_empty_before_a_start(
    client: Client, name: str, field: str, first: str
) -> None:
    make_experiment("draft")
    assert lines_of(client, name, "draft") == []
    play(make_running("test"), 40)
    assert lines_of(client, name, "test")[0][field] == first


def lines_of(client: Client, name: str, key: str) -> list[dict[str, str]]:
    answer = client.get(url(name, key))
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))  # type: ignore[attr-defined] # streamed


def test_units_shared_out_otherwise_than_planned_are_an_alarm(client: Client) -> None:
    experiment = make_running("test")
    for number in range(60):
        show(experiment, "treatment" if number else "control")
    roll_up()
    page = client.get(url("overview", "test")).content.decode()
    assert "Trust nothing yet" in page
    assert "control 1 of 30 expected, treatment 59 of 30 expected" in page
    watch()
    listed = client.get(reverse("admin:experiments_experiment_changelist")).content.decode()
    assert "Trust nothing yet" in listed


def test_the_list_says_that_a_ramp_is_held(client: Client, clock: SimulatedClock) -> None:
    experiment = make_running("test", ramp=({"coverage": 0.5, "hours": 24}, {"coverage": 1.0}))
    clock.move_by(timedelta(hours=25))
    watch()
    listed = reverse("admin:experiments_experiment_changelist")
    assert "No data" in client.get(listed).content.decode()
    play(experiment, 40)
    watch()
    assert "Ramp is held" in client.get(listed).content.decode()


def test_segments_and_days_since_exposure_have_tables(client: Client) -> None:
    experiment = make_running("test")
    show(experiment, "control", segment="cold")
    show(experiment, "treatment", segment="cold", clicked=[1])
    roll_up()
    page = client.get(url("segments", "test")).content.decode()
    assert "cold" in page
    answer = client.get(url("age_csv", "test"))
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))  # type: ignore[attr-defined] # streamed
    assert [(row["age"], row["variant"], row["units"]) for row in rows] == [
        ("0", "control", "1.0"),
        ("0", "treatment", "1.0"),
    ]


def test_the_number_of_queries_does_not_grow_with_units_or_experiments(client: Client) -> None:
    first, listed = make_running("test", range_end=0.1), reverse("admin:experiments_experiment_changelist")
    play(first, 4)
    counts = [n_queries(client, url("overview", "test")), n_queries(client, listed)]
    for number in range(1, 4):
        make_running(f"more-{number}", range_start=number / 10, range_end=(number + 1) / 10)
    play(first, 20)
    assert [n_queries(client, url("overview", "test")), n_queries(client, listed)] == counts


def n_queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)
