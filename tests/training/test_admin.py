import pytest
from django.test import Client
from django.urls import reverse

from apps.core.models import AuditEntry
from apps.training.models import Recipe, TrainingRun
from apps.training.services import request_run, train
from tests.factories import make_staff
from tests.training.conftest import make_public

pytestmark = pytest.mark.django_db

VIEWS = ("training.view_recipe", "training.view_trainingrun", "training.view_modelversion")
RETRAIN = "admin:training_trainingrun_retrain"


def staff_client(client: Client, *permissions: str) -> Client:
    client.force_login(make_staff(permissions=permissions))
    return client


@pytest.mark.parametrize("model", ["recipe", "trainingrun", "modelversion"])
def test_lists_and_shows_every_model(client: Client, model: str) -> None:
    make_public()
    version = train()
    staff = staff_client(client, *VIEWS)
    assert staff.get(reverse(f"admin:training_{model}_changelist")).status_code == 200
    key = {"recipe": version.recipe_id, "trainingrun": version.run_id, "modelversion": version.pk}[model]
    assert staff.get(reverse(f"admin:training_{model}_change", args=[key])).status_code == 200


def test_runs_and_versions_are_read_only(admin_client: Client) -> None:
    for model in ("trainingrun", "modelversion"):
        assert admin_client.get(reverse(f"admin:training_{model}_add")).status_code == 403


def test_the_button_requests_a_run_in_the_name_of_the_person(client: Client) -> None:
    staff = staff_client(client, *VIEWS, "training.add_trainingrun")
    page = staff.get(reverse("admin:training_trainingrun_changelist"))
    assert reverse(RETRAIN) in page.content.decode()
    answer = staff.post(reverse(RETRAIN), follow=True)
    run = TrainingRun.objects.get()
    assert f"Run {run.pk} was requested; a worker takes it up within a minute." in answer.content.decode()
    assert (run.phase, run.trigger) == ("requested", "admin")
    assert AuditEntry.objects.get(action="training.start").target_id == str(run.pk)


def test_the_button_says_that_a_run_is_under_way(client: Client) -> None:
    run = request_run(recipe="standard", trigger="test")
    staff = staff_client(client, *VIEWS, "training.add_trainingrun")
    answer = staff.post(reverse(RETRAIN), follow=True)
    assert f"is already running (run {run.pk}, requested)" in answer.content.decode()
    assert TrainingRun.objects.count() == 1


def test_the_button_is_for_those_with_the_permission(client: Client) -> None:
    staff = staff_client(client, *VIEWS)
    page = staff.get(reverse("admin:training_trainingrun_changelist"))
    assert reverse(RETRAIN) not in page.content.decode()
    assert staff.post(reverse(RETRAIN)).status_code == 403
    assert TrainingRun.objects.count() == 0


def test_the_button_is_never_a_link(client: Client) -> None:
    staff = staff_client(client, *VIEWS, "training.add_trainingrun")
    assert staff.get(reverse(RETRAIN)).status_code == 405


def test_a_recipe_is_checked_and_its_change_recorded(admin_client: Client) -> None:
    add = reverse("admin:training_recipe_add")
    answer = admin_client.post(add, {"name": "odd", "parameters": '{"alsatian": {}}', "description": ""})
    assert "There is no arm" in answer.content.decode()
    admin_client.post(add, {"name": "wide", "parameters": '{"als": {"factors": 128}}', "description": ""})
    recipe = Recipe.objects.get(name="wide")
    entry = AuditEntry.objects.get(action="training.create_recipe")
    assert (entry.target_id, entry.after) == (str(recipe.pk), {"parameters": {"als": {"factors": 128}}})
    change = reverse("admin:training_recipe_change", args=[recipe.pk])
    admin_client.post(change, {"name": "other", "parameters": "{}", "description": "x"})
    recipe.refresh_from_db()
    assert (recipe.name, recipe.description) == ("wide", "x")
