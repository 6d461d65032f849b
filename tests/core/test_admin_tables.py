"""What every table of the admin tells staff about itself."""

import pytest
from django import forms
from django.contrib import admin
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.html import escape

from apps.accounts.models import User
from apps.core.admin import ExplainedAdmin
from apps.core.admin.json_fields import StrictJSONField
from tests.rows import make_row

pytestmark = pytest.mark.django_db

TABLES = {model: table for model, table in admin.site._registry.items() if isinstance(table, ExplainedAdmin)}
ABOUT = sorted((model for model, table in TABLES.items() if table.about), key=str)
EXPLAINED = sorted((model for model, table in TABLES.items() if table.explanations), key=str)


@pytest.mark.parametrize("model", ABOUT, ids=lambda model: model._meta.label)
def test_a_table_says_what_it_holds(admin_client: Client, model: type[Model]) -> None:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    assert escape(TABLES[model].about) in admin_client.get(address).content.decode()


@pytest.mark.parametrize("model", EXPLAINED, ids=lambda model: model._meta.label)
def test_a_row_shows_each_explanation_of_its_fields(admin_client: Client, model: type[Model]) -> None:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    page = admin_client.get(reverse(name, args=[make_row(model).pk])).content.decode()
    for field, text in TABLES[model].explanations.items():
        assert text in page, field


def test_the_scopes_of_a_key_are_explained_before_it_is_made(admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:accounts_apikey_add")).content.decode()
    assert "Keep the catalogue (catalog.write): add, change and hide films" in page
    assert "Read metrics (metrics.read): the figures at /metrics, for Prometheus" in page


def test_every_form_reads_json_strictly(rf: RequestFactory, admin_user: User) -> None:
    request = rf.get("/")
    request.user = admin_user
    fields = [
        field
        for table in admin.site._registry.values()
        for field in table.get_form(request).base_fields.values()
        if isinstance(field, forms.JSONField)
    ]
    assert len(fields) >= 2
    assert all(isinstance(field, StrictJSONField) for field in fields)
