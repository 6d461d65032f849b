"""Links from one table of the admin to another, each only for who may follow it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html


@dataclass(frozen=True)
class Link:
    title: str
    url: str
    icon: str = "arrow_forward"


@dataclass(frozen=True)
class PageLink:
    """One of the pages about a row, as the others link to it."""

    title: str
    url: str
    is_current: bool = False


LinkMaker = Callable[[HttpRequest, Any], Link | None]


def may_see(request: HttpRequest, model: type[Model]) -> bool:
    """Whether the admin shows this table to this member of staff."""
    return bool(
        admin.site.is_registered(model)
        and admin.site.get_model_admin(model).has_view_or_change_permission(request)
    )


def list_url(model: type[Model], **filters: object) -> str:
    """The address of a table, filtered."""
    path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{path}?{urlencode(filters)}" if filters else path


def row_url(model: type[Model], pk: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])


def list_link(request: HttpRequest, model: type[Model], title: str, **filters: object) -> Link | None:
    """A link to a filtered table; None for who may not see it."""
    return Link(title, list_url(model, **filters)) if may_see(request, model) else None


def anchor(url: str, text: str) -> str:
    """A link in a cell."""
    return format_html('<a href="{}" class="admin-link">{}</a>', url, text)


def row_anchor(label: str, pk: str) -> str:
    """The row of a model ``app.model`` as a link to its page; its plain name where it has none."""
    name = f"{label} {pk}".strip()
    try:
        return anchor(row_url(apps.get_model(label), pk), name)
    except (LookupError, ValueError, NoReverseMatch):
        return name
