from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Movie
from apps.core.models import AuditEntry
from apps.experiments.policy import forget_policy
from apps.experiments.services import change_policy
from apps.training import registry
from apps.training.models import ModelUpdateLog, Recipe, TrainingRun
from apps.training.services import ensure_standard_recipe, request_run, train
from apps.training.services.training import STEPS
from tests.factories import make_staff
from tests.rows import make_row
from tests.training.conftest import make_public

pytestmark = pytest.mark.django_db

VIEWS = ("training.view_recipe", "training.view_trainingrun", "training.view_modelversion")
RETRAIN = "admin:training_trainingrun_retrain"


def staff_client(client: Client, *permissions: str) -> Client:
    client.force_login(make_staff(permissions=permissions))
    return client


@pytest.fixture(autouse=True)
def no_policy_kept() -> Iterator[None]:
    """A policy that was rolled back with its test."""
    forget_policy()
    yield
    forget_policy()


def serve_wide() -> None:
    """A second recipe, trained, serves everybody."""
    Recipe.objects.get_or_create(name="wide")
    train(recipe="wide")
    strategy = {"policy": "fixed", "arms": {"hybrid": 1}}
    change_policy(strategy=strategy, recipe="wide", reason="wider", by=make_staff())
    forget_policy()


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
    assert (
        f"Run {run.pk} of recipe &#x27;standard&#x27; was requested; a worker takes it up within a minute."
        in answer.content.decode()
    )
    assert (run.recipe.name, run.phase, run.trigger) == ("standard", "requested", "admin")
    assert AuditEntry.objects.get(action="training.start").target_id == str(run.pk)


def test_the_button_offers_every_recipe_and_at_first_the_one_that_serves(client: Client) -> None:
    Recipe.objects.create(name="wide")
    staff = staff_client(client, *VIEWS, "training.add_trainingrun")
    page = " ".join(staff.get(reverse("admin:training_trainingrun_changelist")).content.decode().split())
    assert '<option value="standard" selected> standard (serves) </option>' in page
    assert '<option value="wide"> wide </option>' in page
    staff.post(reverse(RETRAIN), {"recipe": "wide"})
    assert TrainingRun.objects.get().recipe.name == "wide"


def test_the_button_trains_the_recipe_that_serves(client: Client, films: list[Movie]) -> None:
    serve_wide()
    staff = staff_client(client, *VIEWS, "training.add_trainingrun")
    staff.post(reverse(RETRAIN))
    assert TrainingRun.objects.latest("pk").recipe.name == "wide"


def test_the_button_refuses_a_recipe_that_is_not_there(client: Client) -> None:
    Recipe.objects.create(name="wide")
    staff = staff_client(client, *VIEWS, "training.add_trainingrun")
    page = staff.post(reverse(RETRAIN), {"recipe": "wlde"}, follow=True).content.decode()
    assert "There is no recipe &#x27;wlde&#x27;; the recipes are: wide." in page
    assert not TrainingRun.objects.exists()


def test_the_list_says_why_the_live_version_is_refused(
    client: Client, films: list[Movie], own_artifacts: Path
) -> None:
    train()
    live = train()
    file = own_artifacts / live.artifact / "arm_svd.factors.npy"
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)
    registry.reset()
    page = staff_client(client, *VIEWS).get(reverse("admin:training_modelversion_changelist"))
    text = page.content.decode()
    assert f"refused: {file} was altered after it was written." in text
    assert text.count("refused: ") == 1


def test_the_button_says_that_a_run_is_under_way(client: Client) -> None:
    run = request_run(recipe="standard", trigger="test")
    staff = staff_client(client, *VIEWS, "training.add_trainingrun")
    answer = staff.post(reverse(RETRAIN), follow=True)
    assert f"Training is already running (run {run.pk} of recipe" in answer.content.decode()
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


@pytest.mark.parametrize("page", ["add", "change"])
def test_parameters_that_no_parser_reads_are_refused_at_their_field(admin_client: Client, page: str) -> None:
    rows = [] if page == "add" else [Recipe.objects.create(name="deep").pk]
    form = {"name": "deep", "parameters": "[" * 50_000, "description": ""}
    answer = admin_client.post(reverse(f"admin:training_recipe_{page}", args=rows), form)
    (sentence,) = answer.context["adminform"].form.errors["parameters"]
    assert sentence.startswith("This text is not JSON that can be read: depth limit exceeded")


def test_two_recipes_differ_in_more_than_capitals(admin_client: Client) -> None:
    Recipe.objects.create(name="mine")
    form = {"name": "MINE", "parameters": "{}", "description": ""}
    answer = admin_client.post(reverse("admin:training_recipe_add"), form)
    assert "There is a recipe of this name, perhaps in other capitals." in answer.content.decode()
    assert not Recipe.objects.filter(name="MINE").exists()


SERVES = "serves: choose another one in the serving policy before you delete it."
TRAINED = "has been trained: its runs and versions stay, and so does it."


def delete(client: Client, *recipes: Recipe) -> str:
    """What the admin says when they are deleted; by the form of one, by the action of several."""
    if len(recipes) == 1:
        address = reverse("admin:training_recipe_delete", args=[recipes[0].pk])
        return client.post(address, {"post": "yes"}, follow=True).content.decode()
    form = {"action": "delete_selected", "_selected_action": [one.pk for one in recipes], "post": "yes"}
    return client.post(reverse("admin:training_recipe_changelist"), form, follow=True).content.decode()


def test_the_recipe_that_serves_is_not_deleted(admin_client: Client, films: list[Movie]) -> None:
    standard, wide = ensure_standard_recipe(), Recipe.objects.create(name="wide")
    assert f"Recipe &#x27;standard&#x27; {SERVES}" in delete(admin_client, standard)
    serve_wide()
    assert f"Recipe &#x27;wide&#x27; {SERVES}" in delete(admin_client, wide)
    assert f"Recipe &#x27;wide&#x27; {SERVES}" in delete(admin_client, standard, wide)
    asked = admin_client.get(reverse("admin:training_recipe_delete", args=[wide.pk]), follow=True)
    assert f"Recipe &#x27;wide&#x27; {SERVES}" in asked.content.decode()
    assert set(Recipe.objects.all()) == {standard, wide}


def test_a_recipe_that_was_trained_is_not_deleted(admin_client: Client) -> None:
    tried = Recipe.objects.create(name="tried")
    TrainingRun.objects.create(recipe=tried, trigger="test", status=TrainingRun.Status.FAILED)
    assert f"Recipe &#x27;tried&#x27; {TRAINED}" in delete(admin_client, tried)
    assert Recipe.objects.get() == tried


def test_recipes_that_nothing_uses_are_deleted_and_their_end_recorded(admin_client: Client) -> None:
    one, *others = [Recipe.objects.create(name=f"idea-{number}") for number in range(3)]
    delete(admin_client, one)
    delete(admin_client, *others)
    assert not Recipe.objects.exists()
    entries = AuditEntry.objects.filter(action="training.delete_recipe")
    assert {entry.before["name"] for entry in entries} == {"idea-0", "idea-1", "idea-2"}


def test_deleting_a_recipe_takes_the_permission(client: Client) -> None:
    recipe = Recipe.objects.create(name="idea")
    staff = staff_client(client, *VIEWS)
    assert staff.post(reverse("admin:training_recipe_delete", args=[recipe.pk])).status_code == 403
    assert Recipe.objects.get() == recipe


def test_a_run_shows_how_far_it_is_and_is_looked_at_again_while_it_lasts(client: Client) -> None:
    run = request_run(recipe="standard", trigger="test")
    TrainingRun.objects.update(
        phase="als",
        steps={"read ratings": 0.21, "popular": 0.004},
        n_steps=16,
        warnings=["No poster is read"],
        log=[{"second": 0.21, "line": "Learns from 40 ratings & more"}],
    )
    staff = staff_client(client, *VIEWS)
    address = reverse("admin:training_trainingrun_change", args=[run.pk])
    answer = staff.get(address)
    page = " ".join(answer.content.decode().split())
    assert '<progress id="run-progress" value="2" max="16">2 of 16</progress>' in page
    assert '<th scope="row" class="whole">read ratings</th> <td class="number">0.21</td>' in page
    said = '<th scope="row" class="whole">0.21</th> <td class="words">Learns from 40 ratings &amp; more</td>'
    assert said in page
    assert "No poster is read" in page
    assert answer.headers["Refresh"] == "3"
    assert "Refresh" not in staff.get(f"{address}?still=1").headers
    TrainingRun.objects.update(status=TrainingRun.Status.SUCCEEDED)
    ended = staff.get(address)
    assert "Refresh" not in ended.headers
    assert "<progress" not in ended.content.decode()


def test_the_other_button_requests_an_update(client: Client) -> None:
    staff = staff_client(client, *VIEWS, "training.add_trainingrun")
    staff.post(reverse(RETRAIN), {"update_type": "warm_start_rebuild"})
    assert TrainingRun.objects.get().update_type == "warm_start_rebuild"


def test_a_fit_fills_its_run_with_steps(films: list[Movie]) -> None:
    run = train().run
    assert run is not None
    run.refresh_from_db()
    assert (run.n_done, run.n_steps) == (len(STEPS), len(STEPS))


def test_parameters_are_settled_by_the_first_training(client: Client, films: list[Movie]) -> None:
    staff = staff_client(client, *VIEWS, "training.change_recipe")
    recipe = Recipe.objects.create(name="wide", parameters={"als": {"factors": 8}})
    address = reverse("admin:training_recipe_change", args=[recipe.pk])
    sent = {"parameters": '{"als": {"factors": 9}}', "description": "wider"}
    staff.post(address, sent)
    recipe.refresh_from_db()
    assert recipe.parameters == {"als": {"factors": 9}}
    train(recipe="wide")
    staff.post(address, {**sent, "parameters": '{"als": {"factors": 10}}', "description": "widest"})
    recipe.refresh_from_db()
    assert (recipe.parameters, recipe.description) == ({"als": {"factors": 9}}, "widest")


@pytest.mark.parametrize(("model", "field"), [(TrainingRun, "error"), (ModelUpdateLog, "error_message")])
def test_a_list_shows_the_beginning_of_an_error_and_its_page_the_whole(
    client: Client, model: type[Model], field: str
) -> None:
    row, why = make_row(model), "Recipe 'wide' did worse than 'standard' in its back-test. " * 5
    model._default_manager.filter(pk=row.pk).update(**{field: why})
    ModelUpdateLog.objects.update(success=False)
    staff, name = staff_client(client, *VIEWS, "training.view_modelupdatelog"), model._meta.model_name
    page = unescape(staff.get(reverse(f"admin:training_{name}_changelist")).content.decode())
    assert f"{why[:89]}…" in page
    assert why[:91] not in page
    page = unescape(staff.get(reverse(f"admin:training_{name}_change", args=[row.pk])).content.decode())
    assert why.strip() in page


def test_the_list_of_runs_does_not_read_what_each_run_said(client: Client) -> None:
    make_row(TrainingRun)
    page = staff_client(client, *VIEWS).get(reverse("admin:training_trainingrun_changelist"))
    (run,) = page.context["cl"].result_list
    assert run.get_deferred_fields() == {"log", "steps", "n_steps", "warnings"}
