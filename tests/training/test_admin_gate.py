"""The gate in the admin: its checks, overriding it, copying a recipe, pinning a version."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.catalog.models import Movie
from apps.core.models import AuditEntry
from apps.experiments.policy import forget_policy
from apps.training.models import BackTest, ModelVersion, Recipe, TrainingRun
from apps.training.services import VersionRefused, train
from tests.factories import make_staff
from tests.rows import make_back_test, make_row

pytestmark = pytest.mark.django_db

LOOKS = (
    "training.view_recipe",
    "training.view_trainingrun",
    "training.view_modelversion",
    "training.view_backtest",
)
OVERRIDE = "training.override_gate"


@pytest.fixture(autouse=True)
def no_policy_kept() -> Iterator[None]:
    """A policy that was rolled back with its test."""
    forget_policy()
    yield
    forget_policy()


def staff_client(client: Client, *permissions: str) -> Client:
    client.force_login(make_staff(permissions=[*LOOKS, *permissions]))
    return client


def page_of(client: Client, row: Any) -> str:
    address = reverse(f"admin:training_{row._meta.model_name}_change", args=[row.pk])
    return " ".join(client.get(address).content.decode().split())


def override_url(version: ModelVersion) -> str:
    return reverse("admin:training_modelversion_override", args=[version.pk])


@pytest.fixture
def refused(films: list[Movie]) -> ModelVersion:
    """A recipe tried by so few people that there is no verdict."""
    train()
    Recipe.objects.create(name="wide", parameters={"svd": {"factors": 3}})
    with pytest.raises(VersionRefused) as found:
        train(recipe="wide")
    return found.value.version


def test_a_refused_version_shows_its_checks_as_rows(client: Client, refused: ModelVersion) -> None:
    page = page_of(staff_client(client), refused)
    assert (
        '<th scope="row">people of the test</th> <td class="number">2</td> <td class="whole">at least 50</td>'
        ' <td class="whole"> <span aria-hidden="true">✗</span> failed </td>'
    ) in page.replace('<td class="whole"><span', '<td class="whole"> <span').replace(
        "failed</td>", "failed </td>"
    )
    assert "Too few people rated lately to tell whether recipe &#x27;wide&#x27;" in page
    assert "<script>" not in page[page.index("version-checks") : page.index("people of the test")]
    assert override_url(refused) not in page, "it takes a permission"


def test_a_back_test_its_version_and_its_run_lead_to_each_other(
    client: Client, refused: ModelVersion
) -> None:
    staff, test = staff_client(client), BackTest.objects.get()
    addresses = {
        row: reverse(f"admin:training_{row._meta.model_name}_change", args=[row.pk])
        for row in (test, refused, refused.run)
    }
    for row in addresses:
        page = page_of(staff, row)
        assert all(address in page for other, address in addresses.items() if other != row)
    page = page_of(staff, test)
    assert "Recipe <strong>wide</strong> beside standard: <strong>failed</strong>" in page
    difference = test.metrics["ndcg_difference"]
    assert f"interval: {difference['value']:+.4f} ({difference['low']:+.4f} to" in page
    assert "All that was measured" in page


def test_staff_override_with_a_reason(client: Client, refused: ModelVersion) -> None:
    staff = staff_client(client, OVERRIDE)
    assert override_url(refused) in page_of(staff, refused)
    asked = staff.get(override_url(refused))
    assert asked.status_code == 200
    assert refused.refused_because.replace("'", "&#x27;") in asked.content.decode()
    unsaid = staff.post(override_url(refused), {"reason": ""})
    assert (unsaid.status_code, BackTest.objects.get().allows) == (400, False)
    answer = staff.post(override_url(refused), {"reason": "We know these people"}, follow=True)
    said = f"Version {refused.name} is now the live one of recipe &#x27;wide&#x27;."
    assert said in answer.content.decode()
    refused.refresh_from_db()
    assert (refused.status, refused.overridden_because) == ("live", "We know these people")
    entry = AuditEntry.objects.get(action="training.override_gate")
    assert (entry.reason, entry.before["status"]) == ("We know these people", "refused")
    page = page_of(staff, BackTest.objects.get())
    assert "<strong>overridden</strong> by" in page
    assert "We know these people" in page
    again = staff.post(override_url(refused), {"reason": "Twice"})
    assert again.status_code == 400
    assert "is not refused: there is nothing to override." in again.content.decode()


def test_overriding_takes_its_permission_and_a_token(refused: ModelVersion) -> None:
    staff = staff_client(Client(), "training.change_modelversion", "training.add_trainingrun")
    assert staff.get(override_url(refused)).status_code == 403
    assert staff.post(override_url(refused), {"reason": "A look"}).status_code == 403
    forged = staff_client(Client(enforce_csrf_checks=True), OVERRIDE)
    assert forged.post(override_url(refused), {"reason": "A look"}).status_code == 403
    refused.refresh_from_db()
    assert refused.status == "refused"


def test_a_copy_is_a_new_recipe_of_the_same_parameters_whose_name_is_chosen(client: Client) -> None:
    recipe = Recipe.objects.create(name="wide", parameters={"als": {"factors": 9}}, description="Wider")
    staff = staff_client(client, "training.add_recipe")
    address = f"{reverse('admin:training_recipe_add')}?copy={recipe.pk}"
    assert f'href="{address}">Copy</a>' in page_of(staff, recipe)
    form = staff.get(address).context["adminform"].form
    assert {field.name: field.value() for field in form} == {
        "name": None,
        "parameters": '{"als": {"factors": 9}}',
        "description": "Wider",
    }
    assert Recipe.objects.count() == 1, "nothing is stored before it is sent"
    unnamed = {"name": "", "parameters": '{"als": {"factors": 9}}', "description": "Wider"}
    assert staff.post(address, unnamed).context["errors"].as_data()
    staff.post(address, {**unnamed, "name": "wider"})
    assert Recipe.objects.get(name="wider").parameters == {"als": {"factors": 9}}
    entry = AuditEntry.objects.get(action="training.create_recipe")
    assert entry.after == {"parameters": {"als": {"factors": 9}}, "copy_of": "wide"}


@pytest.mark.parametrize("asked", ["0", "wide", "٣", "9" * 30])
def test_a_copy_of_no_recipe_is_an_empty_form(client: Client, asked: str) -> None:
    staff = staff_client(client, "training.add_recipe")
    answer = staff.get(reverse("admin:training_recipe_add"), {"copy": asked})
    assert answer.status_code == 200
    assert answer.context["adminform"].form["description"].value() in (None, "")


def test_copying_takes_a_permission(client: Client) -> None:
    recipe = Recipe.objects.create(name="wide")
    staff = staff_client(client)
    assert ">Copy</a>" not in page_of(staff, recipe)
    assert staff.get(reverse("admin:training_recipe_add"), {"copy": recipe.pk}).status_code == 403


def test_a_recipe_that_serves_nobody_is_fitted_by_a_button(client: Client, refused: ModelVersion) -> None:
    staff = staff_client(client, "training.add_trainingrun")
    assert "Fit and back-test" in page_of(staff, refused.recipe)
    assert "Fit and back-test" not in page_of(staff, Recipe.objects.get(name="standard"))
    staff.post(
        reverse("admin:training_trainingrun_retrain"), {"recipe": "wide", "update_type": "full_retrain"}
    )
    run = TrainingRun.objects.latest("pk")
    assert (run.recipe.name, run.phase) == ("wide", "requested")


def test_the_page_of_a_recipe_lists_its_back_tests(client: Client) -> None:
    test = make_back_test()
    address = reverse("admin:training_backtest_change", args=[test.pk])
    page = page_of(staff_client(client), test.recipe)
    assert f'<a href="{address}">' in page
    assert "<td>failed</td>" in page
    assert f"?recipe__id__exact={test.recipe_id}" in page


def test_a_version_is_pinned_and_unpinned_by_buttons(client: Client) -> None:
    version = make_row(ModelVersion)
    ModelVersion.objects.filter(pk=version.pk).update(artifact="a-folder")
    staff = staff_client(client, "training.change_modelversion")
    address = reverse("admin:training_modelversion_changelist")
    for action, is_pinned in (("pin_files", True), ("unpin_files", False)):
        assert f'value="{action}"' in page_of(staff, version)
        staff.post(address, {"action": action, "_selected_action": [version.pk]}, follow=True)
        assert ModelVersion.objects.get(pk=version.pk).is_pinned is is_pinned
    told = AuditEntry.objects.order_by("pk").values_list("action", "after")
    assert list(told) == [
        ("training.pin_version", {"is_pinned": True}),
        ("training.unpin_version", {"is_pinned": False}),
    ]


def test_a_button_leads_back_to_its_page_and_the_list_to_the_list(client: Client) -> None:
    version = make_row(ModelVersion)
    ModelVersion.objects.filter(pk=version.pk).update(artifact="a-folder")
    staff = staff_client(client, "training.change_modelversion")
    address, row = reverse("admin:training_modelversion_changelist"), [version.pk]
    page = reverse("admin:training_modelversion_change", args=row)
    assert '<input type="hidden" name="from_row" value="1">' in page_of(staff, version)
    body = {"action": "pin_files", "_selected_action": row}
    assert staff.post(address, {**body, "from_row": "1"}).headers["Location"] == page
    assert staff.post(f"{address}?q=a", body).headers["Location"] == f"{address}?q=a"
    ModelVersion.objects.update(artifact="")
    refused = staff.post(address, {**body, "from_row": "1"})
    assert refused.headers["Location"] == page, "refused, too"
    assert (
        staff.post(address, {**body, "_selected_action": [0], "from_row": "1"}).headers["Location"] == address
    )


def test_what_has_no_files_left_is_not_pinned(client: Client) -> None:
    version = make_row(ModelVersion)
    staff = staff_client(client, "training.change_modelversion")
    assert 'value="pin_files"' not in page_of(staff, version)
    address = reverse("admin:training_modelversion_changelist")
    answer = staff.post(address, {"action": "pin_files", "_selected_action": [version.pk]}, follow=True)
    assert "were removed: there is nothing to keep." in answer.content.decode()
    assert not ModelVersion.objects.get(pk=version.pk).is_pinned


@pytest.mark.parametrize("name", ["backtest", "modelversion", "recipe"])
def test_a_list_takes_as_many_queries_however_long_it_is(client: Client, name: str) -> None:
    staff = staff_client(client)
    address = reverse(f"admin:training_{name}_changelist")
    counts = []
    for _ in range(2):
        for _ in range(5):
            make_back_test()
            make_row(ModelVersion)
        staff.get(address)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert staff.get(address).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_page_of_a_recipe_takes_as_many_queries_however_often_it_was_tested(client: Client) -> None:
    staff, recipe = staff_client(client), Recipe.objects.create(name="wide")
    address = reverse("admin:training_recipe_change", args=[recipe.pk])
    counts = []
    for _ in range(2):
        for _ in range(6):
            make_back_test(recipe=recipe)
        staff.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(address).content.decode().count("<td>failed</td>") in (6, 10)
        counts.append(len(queries))
    assert counts[0] == counts[1]
