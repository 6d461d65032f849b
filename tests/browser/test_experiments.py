"""The life of an experiment through the admin: set up, refused, started, gone on, alarmed, ended, shipped."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.accounts.models import User
from apps.experiments.models import Decision, Experiment, ServingPolicy
from apps.experiments.services import roll_up, watch
from tests.browser.acts import enter_admin
from tests.browser.conftest import new_page
from tests.browser.test_bandit_pages import faults_of
from tests.experiments.setup import make_running
from tests.experiments.traffic import show
from tests.factories import make_rating, make_user
from tests.house import House

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIST = "/admin/experiments/experiment/"
POPULAR_FIRST = f"{LIST}popular-first"
RAMP = [{"coverage": 0.5, "units": 8}, {"coverage": 1}]
GUARDRAILS = {"fallback_rate": 0.01}


@pytest.fixture
def house(staffed_house: House) -> House:
    return staffed_house


@pytest.fixture
def staff_page(chromium: Browser, live_server: LiveServer) -> Iterator[Page]:
    with new_page(chromium, live_server, may_refuse=True) as page:
        yield page


def enter(page: Page) -> None:
    enter_admin(page, "experiments/experiment/", "Experiments")


def named(label: str) -> re.Pattern[str]:
    """A field by its label alone: what helps to fill it in belongs to the name too."""
    return re.compile(rf"^\s*{label}\b")


def variant(page: Page, number: int) -> Locator:
    return page.get_by_role("group", name=f"Variant {number}")


def act(page: Page, name: str, reason: str = "") -> None:
    """One of the acts that the page of the experiment offers."""
    page.get_by_role("navigation", name="What can be done").get_by_role("link", name=name).click()
    if reason:
        page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name=name, exact=True).click()


def listed(n: int) -> list[dict[str, object]]:
    """The API's lists for so many new visitors, who look at one each."""
    answers = []
    for _ in range(n):
        client = Client()
        client.get("/")
        answers.append(json.loads(client.get("/api/v1/movies/recommendations?n=5").content))
    return answers


def set_up(page: Page) -> None:
    page.goto(f"{LIST}add/")
    page.get_by_label(named("Key")).fill("popular-first")
    page.get_by_label(named("Name")).first.fill("Popular first")
    page.get_by_label(named("Guardrails")).fill(json.dumps(GUARDRAILS))
    page.get_by_label(named("Ramp")).fill(json.dumps(RAMP))
    variant(page, 2).get_by_label(named("Serves")).select_option("popular")
    page.get_by_role("button", name="Store").click()
    expect(page.get_by_text("Popular first is stored.")).to_be_visible()


def be_refused_and_mend(page: Page) -> None:
    """Refused, and why; mended on its form."""
    taken = page.get_by_text("Test other has 0 to 0.5 of the layer, and both would have 0 to 0.5")
    expect(taken).to_be_visible()
    act(page, "Start", "It has to be now")
    expect(page.get_by_text("Popular first cannot start: Test other has 0 to 0.5")).to_be_visible()
    assert Experiment.objects.get(pk="popular-first").state == "draft"
    page.goto(f"{POPULAR_FIRST}/design/")
    page.get_by_label("Range from").fill("0.5")
    page.get_by_role("button", name="Store").click()
    expect(page.get_by_text("0.5 to 1 of the layer is nobody else's.")).to_be_visible()


def start_it(page: Page) -> None:
    """A site that saw nobody yet takes a reason."""
    act(page, "Start", "Nobody came yet, and somebody has to be first")
    expect(page.get_by_text("Start: Popular first. Done.")).to_be_visible()
    expect(
        page.get_by_text("Step 1 of 2 covers 50 % of its range, and waits for 8 of 8 units")
    ).to_be_visible()


def go_a_step_on(page: Page) -> None:
    """Visitors come, over HTTP; the ramp goes on once its step saw eight."""
    served = listed(60)
    experiments = [one["experiment"] for one in served]
    mine = [one for one in experiments if one and one["key"] == "popular-first"]
    assert len(mine) > 8
    roll_up()
    assert watch() > 0
    page.reload()
    expect(page.get_by_text("Step 2 of 2 covers 100 % of its range")).to_be_visible()
    expect(page.get_by_text("Went a step on").first).to_be_visible()


def alarm_by_a_skew(page: Page) -> None:
    """Something keeps units out of the control: an alarm, with what was seen and what should have been."""
    for _ in range(80):
        show(Experiment.objects.get(pk="popular-first"), "treatment")
    roll_up()
    watch()
    page.reload()
    alarm = page.get_by_role("alert").filter(has_text="Units are not shared out as planned")
    expect(alarm).to_contain_text(re.compile(r"control \d+ of \d+ expected, treatment \d+ of \d+ expected"))
    expect(page.get_by_text("Held").first).to_be_visible()


def stop_judge_again_and_undo(page: Page) -> None:
    """Not without a reason; judged again by what the ledger keeps; taken back."""
    act(page, "Stop")
    expect(page.get_by_text("This field is required.")).to_be_visible()
    page.get_by_label("Reason").fill("The log has lost half of the control")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("heading", name="Popular first: completed")).to_be_visible()
    stopped = Decision.objects.get(kind="stop")
    call_command("ab_replay", str(stopped.pk))
    page.get_by_role("link", name=f"Entry {stopped.pk}").click()
    page.get_by_role("button", name="Judge again").click()
    expect(page.get_by_text(f"Entry {stopped.pk} comes out the same, to the last digit")).to_be_visible()
    page.goto(f"/admin/experiments/decision/{stopped.pk}/change/")
    page.get_by_role("button", name="Undo").click()
    page.get_by_label("Reason").fill("The log is whole again")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: 1")).to_be_visible()


def ship_it(page: Page) -> None:
    """Everybody gets it, and the API says so."""
    page.goto(f"{POPULAR_FIRST}/results/")
    page.get_by_role("link", name="Ship").click()
    page.get_by_label(named("Variant")).select_option("treatment")
    page.get_by_label("Reason").fill("It shows what people know")
    page.get_by_role("button", name="Ship", exact=True).click()
    expect(page.get_by_role("heading", name="Popular first: completed")).to_be_visible()
    assert ServingPolicy.objects.get().strategy["arms"] == {"popular": 1.0}
    others = [one for one in listed(12) if not one["experiment"]]
    assert {one["strategy"] for one in others} == {"popular"}
    assert not any(one["experiment"] and one["experiment"]["key"] == "popular-first" for one in listed(12))


def test_an_experiment_is_led_from_its_form_to_what_everybody_is_served(
    staff_page: Page, house: House
) -> None:
    make_running("other", range_end=0.5)
    enter(staff_page)
    set_up(staff_page)
    be_refused_and_mend(staff_page)
    start_it(staff_page)
    go_a_step_on(staff_page)
    alarm_by_a_skew(staff_page)
    stop_judge_again_and_undo(staff_page)
    ship_it(staff_page)


def test_weights_are_summed_while_they_are_typed(page: Page, house: House) -> None:
    enter(page)
    page.goto(f"{LIST}add/")
    expect(page.get_by_text("The weights are 1 in sum.")).to_be_visible()
    variant(page, 2).get_by_label(named("Weight")).fill("0.3")
    expect(page.get_by_text("The weights are 0.8 in sum: 0.2 is left.")).to_be_visible()
    variant(page, 3).get_by_label(named("Weight")).fill("0.4")
    expect(page.get_by_text("The weights are 1.2 in sum: 0.2 too much.")).to_be_visible()


def test_what_a_viewer_would_see_is_shown_without_script_by_keys_alone(
    plain_page: Page, house: House
) -> None:
    fan = make_user("fan")
    for film in house.horror[:3]:
        make_rating(fan, film, 5.0)
    page = plain_page
    enter(page)
    page.goto(f"{LIST}add/")
    page.get_by_label(named("Key")).fill("popular-first")
    page.get_by_label(named("Name")).first.fill("Popular first")
    variant(page, 2).get_by_label(named("Serves")).select_option("popular")
    page.get_by_label(named("Viewer")).fill("fan")
    page.get_by_role("button", name="Show the lists").press("Enter")
    expect(page.get_by_role("heading", name="What fan would see now")).to_be_visible()
    expect(page.get_by_text("hybrid: Because you liked Fright").first).to_be_visible()
    page.get_by_label(named("Deciding goal")).select_option("clicked_units")
    page.get_by_label("Share taken to be").fill("0.1")
    page.get_by_label("New units a day taken to be").fill("1000")
    page.get_by_label("New units a day taken to be").press("Enter")
    expect(page.get_by_text("takes 114 days, at 1,000 units a day.")).to_be_visible()
    assert not Experiment.objects.exists()


def test_pages_fit_a_phone_and_a_desk_and_nothing_complains(page: Page, house: House) -> None:
    experiment = make_running("test", ramp=RAMP)
    began = timezone.now() - timedelta(days=3)
    Experiment.objects.update(started_at=began)
    experiment.phases.update(started_at=began)
    for number in range(60):
        shown = ("control", "treatment")[number % 2]
        show(experiment, shown, clicked=[1] if number % 3 else [], at=began + timedelta(hours=number))
    roll_up()
    watch()
    entry = Decision.objects.latest("pk").pk
    enter(page)
    faults = []
    viewer = User.objects.get(username="ada").pk
    for name in (
        "test/results/",
        "test/segments/",
        "test/design/",
        f"test/debug/?viewer={viewer}",
        "test/act/ship/",
        "add/",
        "",
        f"../decision/{entry}/change/",
    ):
        page.goto(LIST + name)
        faults += faults_of(page, name)
    assert faults == []
