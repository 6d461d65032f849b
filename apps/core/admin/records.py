"""The audit, and what is alive."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

from apps.core.admin.columns import column
from apps.core.admin.filters import DayRangeFilter
from apps.core.admin.links import row_anchor
from apps.core.admin.logs import BoundedPaginator
from apps.core.admin.tables import ReadOnlyAdmin
from apps.core.audit import changes_of
from apps.core.models import AuditEntry, Heartbeat
from apps.core.spreadsheets import csv_lines

SILENT_AFTER = timedelta(minutes=3)
EXPORTED = 100_000
EXPORT_COLUMNS = (
    "id at actor_id actor_name action target_type target_id reason before after request_id".split()
)


class WhoFilter(DropdownFilter):  # type: ignore[misc] # unfold ships no types
    title = "who"
    parameter_name = "actor_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        people = AuditEntry.objects.exclude(actor_id=None).order_by("actor_name")
        named = people.values_list("actor_id", "actor_name").distinct()
        return [*[(str(pk), name) for pk, name in named], ("0", "the system, programs, erased people")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        chosen = self.value() or ""
        if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 19):
            return queryset
        return queryset.filter(actor_id=int(chosen) or None)


class _ValuesFilter(DropdownFilter):  # type: ignore[misc] # unfold ships no types
    """The values that an indexed column has."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        values = AuditEntry.objects.exclude(**{self.parameter_name: ""}).order_by(self.parameter_name)
        return [(value, value) for value in values.values_list(self.parameter_name, flat=True).distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class ActionFilter(_ValuesFilter):
    title = "what was done"
    parameter_name = "action"


class TargetFilter(_ValuesFilter):
    title = "to what"
    parameter_name = "target_type"


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    group, icon, rank = "System", "history_edu", 0
    about = "Everything that staff and programs did, kept for good. Nobody changes it."
    empty = "The first act of a member of staff, of a program or of an operator makes an entry."
    explanations = {
        "actor_id": "The number of whoever did it. Empty for the system, and once the person was erased.",
        "actor_name": "The name at that time.",
        "target": "The row that it was done to; it may have gone since.",
        "request_id": "The request that did it, as the server's log names it.",
    }
    list_before_template = "core/audit_list.html"
    list_display = ["at", "who", "action", "target", "changed", "reason"]
    list_filter = [WhoFilter, ActionFilter, TargetFilter, ("at", DayRangeFilter)]
    list_filter_submit = True
    search_fields = ["actor_name", "action", "=target_id", "=request_id", "reason"]
    search_help_text = "Names, acts, reasons; the exact number of a row or of a request"
    ordering = ["-id"]
    paginator = BoundedPaginator
    show_full_result_count = False
    fields = ["at", "actor_name", "actor_id", "action", "target", "reason", "changes", "request_id"]
    readonly_fields = ["at", "target", "changes"]

    @column("Who")
    def who(self, entry: AuditEntry) -> str:
        return entry.actor_name or "an erased person"

    @column("Done to")
    def target(self, entry: AuditEntry) -> str:
        return row_anchor(entry.target_type, entry.target_id) if entry.target_type else "–"

    @column("Changed")
    def changed(self, entry: AuditEntry) -> str:
        names = list(dict.fromkeys([*entry.before, *entry.after]))
        return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "") or "–"

    @column("Before and after")
    def changes(self, entry: AuditEntry) -> str:
        return render_to_string("core/audit_changes.html", {"changes": changes_of(entry)})

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export)
        return [path("export/", view, name="core_auditentry_export"), *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """What the list shows under the same filters, as CSV; the newest 100,000 entries of it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            entries = self.get_changelist_instance(request).queryset[:EXPORTED]
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse("admin:core_auditentry_changelist"))
        name = f"audit-{timezone.now():%Y-%m-%d}.csv"
        answer = StreamingHttpResponse(
            csv_lines(EXPORT_COLUMNS, _rows(entries)), content_type="text/csv; charset=utf-8"
        )
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer


def _rows(entries: QuerySet[AuditEntry]) -> Iterator[dict[str, Any]]:
    yield from entries.values(*EXPORT_COLUMNS).iterator(2000)


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    group, icon, rank = "System", "ecg_heart", 10
    about = "Processes that should be alive, and when each last said so."
    empty = "The first worker that runs beside beat shows up here within a minute."
    list_display = ["name", "at", "state"]

    @column("State", label={"alive": "success", "silent": "danger"})
    def state(self, heartbeat: Heartbeat) -> str:
        return "silent" if timezone.now() - heartbeat.at > SILENT_AFTER else "alive"
