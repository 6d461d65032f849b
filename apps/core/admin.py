"""The audit, the schedule, and what read-only tables share."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import PeriodicTask
from unfold.admin import ModelAdmin

from apps.core.models import AuditEntry, Heartbeat

admin.site.unregister(PeriodicTask)


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc] # unfold ships no types
    """Rows that nobody edits: the view permission shows them, no other one does anything."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor_name", "action", "target_type", "target_id", "reason"]
    list_filter = ["action", "target_type"]
    search_fields = ["actor_name", "action", "target_id", "request_id"]
    date_hierarchy = "at"


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ["name", "at"]


@admin.register(PeriodicTask)
class ScheduledTaskAdmin(PeriodicTaskAdmin):  # type: ignore[misc] # the package ships no types
    """The package lets whoever may view a task run it and switch it off; here that is a change."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return dict(super().get_actions(request)) if self.has_change_permission(request) else {}
