"""The sidebar: the tables that this member of staff may see, grouped by noun."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

from apps.core.admin.links import list_url, may_see
from apps.core.admin.tables import ExplainedAdmin

FRONT = "Overview"
GROUPS = ("Catalogue", "Viewers", "The log", "Serving", "Experiments", "Training", "System")

# The heading of the front page.
admin.site.index_title = FRONT


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups as unfold takes them; one of which nothing may be seen is left out."""
    tables = sorted(admin.site._registry.items(), key=_rank)
    front = {"title": FRONT, "icon": "space_dashboard", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"items": [front]}]
    for group in GROUPS:
        items = [
            {
                "title": capfirst(model._meta.verbose_name_plural),
                "icon": table.icon if isinstance(table, ExplainedAdmin) else ExplainedAdmin.icon,
                "link": list_url(model),
            }
            for model, table in tables
            if _group(table) == group and may_see(request, model)
        ]
        if items:
            groups.append({"title": group, "separator": True, "items": items})
    return groups


def _group(table: Any) -> str:
    return table.group if isinstance(table, ExplainedAdmin) else ExplainedAdmin.group


def _rank(entry: tuple[Any, Any]) -> tuple[int, str]:
    model, table = entry
    rank = table.rank if isinstance(table, ExplainedAdmin) else ExplainedAdmin.rank
    return rank, str(model._meta.verbose_name_plural)
