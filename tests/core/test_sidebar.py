"""The sidebar: grouped by noun, and only what this member of staff may see."""

import pytest
from django.contrib import admin
from django.test import Client

from apps.core.admin.sidebar import GROUPS
from tests.factories import make_staff

pytestmark = pytest.mark.django_db


def sidebar_of(client: Client) -> dict[str, list[str]]:
    groups = client.get("/admin/").context["sidebar_navigation"]
    return {group.get("title", ""): [item["title"] for item in group["items"]] for group in groups}


def test_a_superuser_sees_every_group_and_every_table_once(admin_client: Client) -> None:
    shown = sidebar_of(admin_client)
    assert list(shown) == ["", *GROUPS]
    tables = [title for titles in shown.values() for title in titles]
    assert len(tables) == len(set(tables)) == len(admin.site._registry) + 1
    assert shown["Catalogue"][0] == "Films"
    assert shown["Serving"] == ["Serving policy", "Bandit policies"]
    assert "Audit entries" in shown["System"]


def test_staff_see_what_they_may_and_no_empty_group(client: Client) -> None:
    client.force_login(make_staff(permissions=["catalog.view_genre", "training.view_recipe"]))
    assert sidebar_of(client) == {"": ["Overview"], "Catalogue": ["Genres"], "Training": ["Recipes"]}
    page = client.get("/admin/").content.decode()
    assert 'href="/admin/catalog/genre/"' in page
    assert "/admin/catalog/movie/" not in page


def test_every_link_of_the_sidebar_opens(admin_client: Client) -> None:
    for group in admin_client.get("/admin/").context["sidebar_navigation"]:
        for item in group["items"]:
            assert admin_client.get(item["link"]).status_code == 200, item["link"]


def test_staff_who_may_see_nothing_are_told_whom_to_ask(client: Client) -> None:
    client.force_login(make_staff())
    assert (
        "You may see nothing here yet: ask a superuser for permissions"
        in client.get("/admin/").content.decode()
    )
