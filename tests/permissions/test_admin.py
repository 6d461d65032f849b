"""Each table and each other address of the admin: who sees it, who changes it."""

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.test import RequestFactory
from django.urls import reverse
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from apps.accounts.models import User
from apps.bandits.models import BanditPolicy
from apps.core.admin import ReadOnlyAdmin
from apps.experiments.models import Experiment
from apps.training.models import ModelVersion, Recipe, Rollout
from tests.callers import Caller, guest, signed_in, undone
from tests.factories import make_movie, make_staff, make_user
from tests.permissions.tables import ADMIN
from tests.rows import make_row, make_slate

pytestmark = pytest.mark.django_db

TABLES = sorted(admin.site._registry.items(), key=lambda entry: entry[0]._meta.label)
EACH_TABLE = pytest.mark.parametrize(
    ("model", "table"), TABLES, ids=[model._meta.label for model, _ in TABLES]
)
# Actions on rows that only say something.
LOOKS = {"experiments.Decision": {"judge_again"}}
# Rows that nobody edits, and for which a page of its own asks.
ASKED_FOR = {Rollout}


def five_pages(row: Model) -> dict[str, str]:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
    pages = {page: reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "delete", "history")}
    return {"list": reverse(f"{name}_changelist"), "add": reverse(f"{name}_add"), **pages}


def statuses(caller: Caller, pages: dict[str, str], method: str = "GET") -> dict[str, int]:
    return {page: caller.send(method, path).status_code for page, path in pages.items()}


def permission(row: Model, verb: str) -> str:
    return f"{row._meta.app_label}.{verb}_{row._meta.model_name}"


@EACH_TABLE
def test_a_table_asks_everybody_to_log_in_and_refuses_staff_without_permission(
    model: type[Model], table: ModelAdmin
) -> None:
    pages = five_pages(make_row(model))
    for caller in (Caller({}, user=User(pk=0)), guest(), signed_in(make_user())):
        for path in pages.values():
            response = caller.send("GET", path)
            assert response.status_code == 302
            assert response.headers["Location"].startswith("/admin/login/?next=")
    staff = signed_in(make_staff())
    for method in ("GET", "POST"):
        assert statuses(staff, pages, method) == dict.fromkeys(pages, 403)


@EACH_TABLE
def test_who_may_view_a_table_sees_it_and_changes_nothing(model: type[Model], table: ModelAdmin) -> None:
    row = make_row(model)
    viewing = signed_in(make_staff(permissions=[permission(row, "view")]))
    assert statuses(viewing, five_pages(row)) == {
        "list": 200,
        "change": 200,
        "history": 200,
        "add": 403,
        "delete": 403,
    }
    pages = {page: path for page, path in five_pages(row).items() if page in {"add", "change", "delete"}}
    assert statuses(viewing, pages, "POST") == {"add": 403, "change": 403, "delete": 403}


def test_the_log_preferences_and_versions_are_changed_by_nobody() -> None:
    root = signed_in(make_user(is_staff=True, is_superuser=True))
    for model, table in TABLES:
        if isinstance(table, ReadOnlyAdmin):
            pages = five_pages(make_row(model))
            opened = {page: status for page, status in statuses(root, pages).items() if status != 403}
            asked_for = {"add": 200} if model in ASKED_FOR else {}
            assert opened == {"list": 200, "change": 200, "history": 200, **asked_for}, model._meta.label
            assert root.send("POST", pages["change"]).status_code == 403, model._meta.label


def test_who_may_only_view_is_offered_no_action_that_changes_rows() -> None:
    for model, table in TABLES:
        request = RequestFactory().get("/")
        request.user = make_staff(permissions=[f"{model._meta.app_label}.view_{model._meta.model_name}"])
        assert set(table.get_actions(request)) <= LOOKS.get(model._meta.label, set()), model._meta.label


def test_tokens_are_shown_to_nobody() -> None:
    """A refresh token opens its user's account."""
    assert not {OutstandingToken, BlacklistedToken} & set(admin.site._registry)


@pytest.mark.parametrize("route", ADMIN)
def test_what_else_the_admin_has_takes_what_the_table_says(route: str) -> None:
    (method, takes), path = ADMIN[route], own_path(route)
    for caller in (Caller({}, user=User(pk=0)), guest(), signed_in(make_user())):
        with undone():
            status = caller.send(method, path).status_code
        assert status in ({200} if takes == "anybody" else {302, 403})
    staff = signed_in(make_staff()).send(method, path)
    is_refused = staff.status_code == 403 or (staff.status_code == 404 and "app_label" in route)
    assert is_refused == ("." in takes), f"staff without permission: {staff.status_code}"
    if "." in takes:
        allowed = signed_in(make_staff(permissions=[takes])).send(method, path)
        assert allowed.status_code in {200, 302}
        assert "/login/" not in allowed.headers.get("Location", "")


# Whose rows are meant by <id:object_id>; elsewhere it is a viewer.
OWN_ROWS: dict[str, type[Model]] = {
    "admin/bandits/": BanditPolicy,
    "admin/training/recipe/": Recipe,
    "admin/training/modelversion/": ModelVersion,
    "admin/training/rollout/": Rollout,
}


def own_path(route: str) -> str:
    if route == "admin/autocomplete/":
        return "/admin/autocomplete/?app_label=catalog&model_name=movie&field_name=primary_genre"
    movie = ContentType.objects.get(app_label="catalog", model="movie")
    slate = make_slate()
    own = (row for start, row in OWN_ROWS.items() if route.startswith(start))
    model = next(own, None)
    values = {
        "<id:object_id>": str(make_row(model).pk if model else slate.user_id),
        "<uuid:slate_id>": str(slate.pk),
        "<path:content_type_id>": str(movie.pk),
        "<path:object_id>": str(make_movie().pk),
        "<app_label>": "catalog",
        "<slug:key>": make_row(Experiment).pk if route.startswith("admin/experiments/") else "",
        "<str:name>": "roll_back" if "rollout" in route else "start",
        "<id>": str(make_user().pk),
        "(?P<url>.*)$": "nowhere",
    }
    for name, value in values.items():
        route = route.replace(name, str(value))
    assert "<" not in route, f"/{route} takes something that these tests do not know: teach them"
    return f"/{route}"
