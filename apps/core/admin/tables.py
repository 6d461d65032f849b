"""What the tables of the admin share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ImproperlyConfigured
from django.db.models import JSONField, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.core.admin.json_fields import StrictJSONField
from apps.core.admin.links import Link, LinkMaker, row_url
from apps.core.errors import ApplicationError

FROM_ROW = "from_row"
"""What the buttons of a row's page send beside the action."""


class ExplainedAdmin(ModelAdmin):  # type: ignore[misc] # unfold ships no types
    """Says what a table and its columns mean: ``about`` above the list, ``explanations`` by field, and
    ``empty`` where there is no row yet: what makes one.

    Texts for staff live here and not in the models, where a changed word would be a migration.
    ``group``, ``icon`` and ``rank`` are its place in the sidebar. ``see_also`` is what higher rooms offer
    about a row (``offer_links``). ``row_actions`` are actions of the list that the page of a row offers
    too, as buttons, and lead back to; ``row_actions_of`` leaves out those that would change nothing.
    ``counted`` is what one row and several are called below a list, where the model's own name is no count.
    """

    about: ClassVar[str] = ""
    explanations: ClassVar[Mapping[str, str]] = {}
    empty: ClassVar[str] = ""
    group: ClassVar[str] = "System"
    icon: str = "table"
    rank: ClassVar[int] = 50
    row_actions: ClassVar[Mapping[str, str]] = {}
    counted: ClassVar[Sequence[str]] = ()
    list_before_template = "core/about.html"
    # Unfold takes far longer to draw a row than the database to read it.
    list_per_page = 50
    change_form_outer_before_template = "core/before_row.html"

    formfield_overrides: ClassVar[Any] = {
        JSONField: {"form_class": StrictJSONField, "widget": UnfoldAdminTextareaWidget}
    }

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.see_also: list[LinkMaker] = []
        self.offered: dict[str, Callable[[HttpRequest], bool]] = {}

    def links_of(self, request: HttpRequest, row: Any) -> Sequence[Link]:
        """What the rooms offer about this row, as far as this member of staff may see it."""
        return [link for make in self.see_also if (link := make(request, row)) is not None]

    def row_actions_of(self, row: Any) -> Mapping[str, str]:
        return self.row_actions

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found = super().get_actions(request)
        withheld = {name for name, may in self.offered.items() if not may(request)}
        return {name: action for name, action in found.items() if name not in withheld}

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        answer: HttpResponse | None = super().response_action(request, queryset)
        is_done = isinstance(answer, HttpResponseRedirect) and answer.url == request.get_full_path()
        return after_action(self, request) if is_done else answer

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        return super().get_form(request, obj, change=change, **{"help_texts": self.explanations, **options})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *arguments: Any, **options: Any
    ) -> HttpResponse:
        row = context.get("original")
        if row is not None:
            context["see_also"] = self.links_of(request, row)
            allowed = self.get_actions(request)
            context["from_row"] = FROM_ROW
            context["row_actions"] = [
                (name, text) for name, text in self.row_actions_of(row).items() if name in allowed
            ]
        answer: HttpResponse = super().render_change_form(request, context, *arguments, **options)
        return answer


def after_action(table: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Back to the page of the row whose button it was, while there is that row; else to the list."""
    if FROM_ROW in request.POST:
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        row = table.get_queryset(request).filter(pk__in=chosen).first()
        if row is not None:
            return redirect(row_url(table.model, row.pk))
    return redirect(request.get_full_path())


def offer_links(model: type[Model], *makers: LinkMaker) -> None:
    """Puts links about a row onto its page in the admin: for rooms above the one that has the table."""
    table = admin.site.get_model_admin(model)
    if not isinstance(table, ExplainedAdmin):
        raise ImproperlyConfigured(f"The table of {model._meta.label} shows no links")
    table.see_also.extend(makers)


def offer_action(model: type[Model], action: Any, *, may: Callable[[HttpRequest], bool]) -> None:
    """Adds an action on rows to the table of a lower room, for those of staff who ``may``."""
    table: Any = admin.site.get_model_admin(model)
    table.actions = [*table.actions, action]
    table.offered[action.__name__] = may


class ReadOnlyAdmin(ExplainedAdmin):
    """Rows that nobody edits: the view permission shows them, no other one does anything."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RefusalsAsMessages(ModelAdmin):  # type: ignore[misc] # unfold ships no types
    """A refusal by a service, of a deletion or of an action on rows, comes back as its sentence."""

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            answer: HttpResponse = super().delete_view(request, object_id, extra_context)
        except ApplicationError as refusal:
            messages.error(request, refusal.detail)
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", object_id)
        return answer

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        try:
            answer: HttpResponse | None = super().response_action(request, queryset)
        except ApplicationError as refusal:
            messages.error(request, refusal.detail)
            return after_action(self, request)
        return answer
