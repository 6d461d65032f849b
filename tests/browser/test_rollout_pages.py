"""A changed recipe in a browser: copied, fitted, tested, rolled out, rolled back, and what served when."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.core.errors import Conflict
from apps.experiments.models import Phase
from apps.experiments.services import watch
from apps.training.models import ModelVersion, Recipe, Rollout, TrainingRun
from apps.training.services import activate, train
from apps.training.services.rollouts import ask_for_rollout, promote
from apps.training.services.runs import take_up_run
from tests.browser.acts import enter_admin
from tests.browser.conftest import new_page
from tests.browser.test_bandit_pages import faults_of
from tests.fitting import fit_beside
from tests.house import House
from tests.training.rolling import expose

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TRAINING = "/admin/training/"


@pytest.fixture
def house(staffed_house: House) -> House:
    return staffed_house


def enter(page: Page) -> None:
    enter_admin(page, "training/rollout/", "Rollouts")


def make_candidate() -> Recipe:
    """It serves nobody yet, and may be rolled out."""
    made = Recipe.objects.create(name="bold", parameters={"svd": {"factors": 3}})
    fit_beside("bold")
    return made


def give_reason(page: Page, button: str, reason: str) -> None:
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name=button, exact=True).click()


def copy_and_change(page: Page) -> None:
    page.goto(f"{TRAINING}recipe/{Recipe.objects.get(name='standard').pk}/change/")
    page.get_by_role("link", name="Copy").click()
    expect(page.locator("[name=description]")).to_have_value("Every algorithm with its default parameters.")
    page.locator("[name=name]").fill("fewer")
    page.locator("[name=parameters]").fill('{"svd": {"factors": 3}}')
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    expect(page.get_by_role("link", name="Roll out", exact=True)).to_have_count(0)


def fit_and_see_the_test(page: Page) -> None:
    """With so few people there is no verdict; staff let it serve all the same."""
    page.get_by_role("button", name="Fit and back-test").click()
    expect(page.get_by_text("was requested")).to_be_visible()
    run = TrainingRun.objects.latest("pk")
    assert take_up_run(run_id=run.pk)
    with pytest.raises(Conflict):
        train(run_id=run.pk)
    recipe = Recipe.objects.get(name="fewer")
    page.goto(f"{TRAINING}recipe/{recipe.pk}/change/")
    expect(page.get_by_role("heading", name="Back-tests, the last first")).to_be_visible()
    expect(page.get_by_role("cell", name="failed", exact=True)).to_be_visible()
    page.goto(f"{TRAINING}modelversion/{ModelVersion.objects.get(recipe=recipe).pk}/change/")
    page.get_by_role("link", name="Override the refusal").click()
    give_reason(page, "Override", "We know these people")
    expect(page.get_by_text("is now the live one of recipe")).to_be_visible()
    page.goto(f"{TRAINING}recipe/{recipe.pk}/change/")


def roll_it_out(page: Page) -> None:
    page.get_by_role("link", name="Roll out", exact=True).click()
    expect(page.locator("[name=recipe]")).to_have_value("fewer")
    page.get_by_role("button", name="Roll out").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    give_reason(page, "Roll out", "Fewer factors")
    expect(page.get_by_text("is asked for: in steps.")).to_be_visible()


def look_at_the_steps(page: Page) -> None:
    steps = page.get_by_role("region", name="Steps")
    expect(steps.get_by_role("row")).to_have_count(4)
    expect(steps.get_by_role("row", name="Step 1 (now) 10 % 48 hours")).to_be_visible()
    Phase.objects.update(started_at=timezone.now() - timedelta(days=3))
    Phase.objects.get().experiment.decisions.update(at=timezone.now() - timedelta(days=3))
    Rollout.objects.update(started_at=timezone.now() - timedelta(days=3))
    expose()
    assert watch() == 1
    page.reload()
    expect(steps.get_by_role("row", name="Step 2 (now) 50 % 120 hours")).to_be_visible()


def roll_it_back(page: Page) -> None:
    page.get_by_role("navigation", name="What can be done").get_by_role("link", name="Roll back").click()
    give_reason(page, "Roll back", "Complaints")
    expect(page.get_by_text("Done.")).to_be_visible()
    expect(page.locator("strong", has_text="Rolled back")).to_be_visible()


def see_what_served(page: Page) -> None:
    page.goto(f"{TRAINING}rollout/")
    page.get_by_role("link", name="What served when").click()
    changes = page.get_by_role("region", name="Changes of the last 30 days")
    expect(changes.get_by_role("row", name="Rolled back")).to_contain_text("Complaints")
    expect(changes.get_by_role("row", name="Went a step on")).to_be_visible()
    served = page.get_by_role("region", name="Now")
    expect(served.get_by_role("row", name="standard")).to_contain_text("100.0%")
    page.get_by_role("link", name="7 days", exact=True).click()
    expect(page.get_by_role("heading", name="Changes of the last 7 days")).to_be_visible()
    at = timezone.localtime() - timedelta(days=1)
    page.locator("#id_at").fill(at.strftime("%Y-%m-%dT%H:%M"))
    page.get_by_role("button", name="What served then?").click()
    expect(page.get_by_role("heading", name=f"On {at:%Y-%m-%d %H:%M}")).to_be_visible()
    recipe = page.get_by_role("rowheader", name="fewer", exact=True)
    then = page.get_by_role("region", name=f"On {at:%Y-%m-%d %H:%M}")
    expect(then.get_by_role("row").filter(has=recipe)).to_contain_text("10.0%")


def lead(page: Page) -> None:
    enter(page)
    copy_and_change(page)
    fit_and_see_the_test(page)
    roll_it_out(page)
    look_at_the_steps(page)
    roll_it_back(page)
    see_what_served(page)


def test_a_recipe_goes_its_way_and_back(chromium: Browser, live_server: LiveServer, house: House) -> None:
    with new_page(chromium, live_server, may_refuse=True) as page:
        lead(page)


def test_a_recipe_goes_its_way_and_back_without_script(
    chromium: Browser, live_server: LiveServer, house: House
) -> None:
    with new_page(chromium, live_server, may_refuse=True, java_script_enabled=False) as page:
        lead(page)


def test_a_rollback_takes_the_keyboard_alone(page: Page, house: House) -> None:
    make_candidate()
    rollout = ask_for_rollout(recipe="bold", by=None, reason="a drill")
    enter(page)
    page.goto(f"{TRAINING}rollout/{rollout.pk}/change/")
    page.get_by_role("navigation", name="What can be done").get_by_role("link", name="Promote now").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Roll back")).to_be_visible()
    page.get_by_label("Reason").focus()
    page.keyboard.type("Complaints")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("strong", has_text="Rolled back")).to_be_visible()
    rollout.refresh_from_db()
    assert (rollout.status, rollout.ended_because) == ("rolled_back", "Complaints")


def test_a_version_is_gone_back_to_and_its_recipe_let_go(plain_page: Page, house: House) -> None:
    first = ModelVersion.objects.get()
    train()
    page = plain_page
    enter(page)
    page.goto(f"{TRAINING}modelversion/{first.pk}/change/")
    page.get_by_role("link", name="Serve this version again").click()
    give_reason(page, "Serve this version again", "Odd lists")
    expect(page.get_by_text("is held there.")).to_be_visible()
    page.goto(f"{TRAINING}recipe/{first.recipe_id}/change/")
    expect(page.get_by_text("Odd lists")).to_be_visible()
    page.get_by_role("link", name="Let it learn again").click()
    give_reason(page, "Let it learn again", "It was the import")
    expect(page.get_by_text("learns by itself again.")).to_be_visible()
    first.refresh_from_db()
    assert (first.status, first.recipe.held_because) == ("live", "")


def test_pages_fit_a_phone_and_a_desk_and_nothing_complains(page: Page, house: House) -> None:
    first = ModelVersion.objects.get()
    recipe = make_candidate()
    rollout = ask_for_rollout(recipe="bold", by=None, reason="a drill")
    promote(by=None, reason="a drill")
    later = train()
    activate(version=later, reason="A long reason, of somebody who says all that there is to be said of it")
    Recipe.objects.filter(pk=first.recipe_id).update(held_because="Odd lists", held_by="ada")
    spare = ModelVersion.objects.get(recipe=recipe)
    enter(page)
    faults = []
    for name in (
        "rollout/",
        "rollout/add/",
        f"rollout/{rollout.pk}/change/",
        f"rollout/{rollout.pk}/act/roll_back/",
        "rollout/timeline/",
        "rollout/timeline/?at=2026-03-01T20:00",
        "rollout/timeline/?at=never",
        f"recipe/{recipe.pk}/change/",
        f"recipe/{first.recipe_id}/change/",
        f"recipe/{first.recipe_id}/let-go/",
        f"modelversion/{first.pk}/change/",
        f"modelversion/{first.pk}/go-back/",
        f"modelversion/{spare.pk}/change/",
    ):
        page.goto(TRAINING + name)
        faults += faults_of(page, name)
    assert faults == []
