"""The tables of django-celery-beat: what workers do, and when.

Schedules that came with a migration can be moved and switched off; deleted, they would not come back.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django_celery_beat.admin import (
    CrontabScheduleAdmin,
    PeriodicTaskAdmin,
    PeriodicTaskForm,
    ScheduleAdmin,
    TaskChoiceField,
    TaskSelectWidget,
)
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.core.admin.audited import AuditedAdmin
from apps.core.admin.json_fields import read_json
from apps.core.admin.tables import RefusalsAsMessages
from apps.core.errors import Conflict
from apps.core.schedules import is_own
from apps.core.services import record_audit

# Nothing here runs by the sun or once.
admin.site.unregister([PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule])


class _TaskSelect(TaskSelectWidget, UnfoldAdminSelectWidget):  # type: ignore[misc] # they ship no types
    pass


class CustomTaskForm(PeriodicTaskForm):  # type: ignore[misc] # the package ships no types
    regtask = TaskChoiceField(label="Task (registered)", required=False, widget=_TaskSelect)
    task = forms.CharField(
        label="Task (custom)", required=False, max_length=200, widget=UnfoldAdminTextInputWidget
    )

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if is_own(name):
            room = name.partition(":")[0]
            raise ValidationError(f"Names that begin with “{room}: ” are kept for the site's own tasks.")
        return name

    def clean_headers(self) -> str:
        return self._clean_json("headers")

    def _clean_json(self, field: str) -> str:
        text = str(self.cleaned_data[field])
        if text:
            read_json(text)
        return text


class OwnTaskForm(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    """Of a task that came with the site, what staff may change: whether it runs, and when."""

    class Meta:
        model = PeriodicTask
        fields = ["enabled", "interval", "crontab"]


@admin.register(PeriodicTask)
class ScheduledTaskAdmin(RefusalsAsMessages, PeriodicTaskAdmin, AuditedAdmin):  # type: ignore[misc] # the package ships no types
    """The package lets whoever may view a task run it and switch it off; here that is a change."""

    group, icon, rank = "System", "schedule", 20
    about = (
        "What the workers do by the clock. The site's own tasks can be moved and switched off, not deleted."
    )
    form = CustomTaskForm
    list_display = ["name", "enabled", "when", "last_run_at", "total_run_count"]
    list_filter = ["enabled"]
    fieldsets = [
        (None, {"fields": ["name", "regtask", "task", "enabled", "description"]}),
        ("Schedule", {"fields": ["interval", "crontab", "start_time", "last_run_at", "one_off"]}),
        ("Arguments", {"fields": ["args", "kwargs"]}),
        (
            "Execution",
            {
                "fields": [
                    "expires",
                    "expire_seconds",
                    "queue",
                    "exchange",
                    "routing_key",
                    "priority",
                    "headers",
                ]
            },
        ),
    ]
    own_fieldsets = [
        (None, {"fields": ["name", "task", "enabled"]}),
        ("Schedule", {"fields": ["interval", "crontab", "last_run_at"]}),
    ]
    readonly_fields = ["last_run_at"]
    own_readonly_fields = ["name", "task", "last_run_at"]
    explanations = {
        "name": "The site's own begin with a part of the site, as in “training: sweep”.",
        "enabled": "Off: it does not run until it is switched on again.",
        "last_run_at": "Empty until it runs, and again once it was switched off.",
        "interval": "A task runs at an interval or at a time of the clock (crontab): set one of them.",
        "crontab": "The time is in the zone of the crontab itself.",
    }

    @admin.display(description="When")
    def when(self, task: PeriodicTask) -> str:
        return str(task.interval or task.crontab or "never")

    def get_fieldsets(self, request: HttpRequest, obj: PeriodicTask | None = None) -> Any:
        return self.own_fieldsets if _is_own(obj) else super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: PeriodicTask | None = None) -> list[str]:
        return self.own_readonly_fields if _is_own(obj) else self.readonly_fields

    def get_form(
        self, request: HttpRequest, obj: PeriodicTask | None = None, change: bool = False, **options: Any
    ) -> Any:
        if _is_own(obj):
            options["form"] = OwnTaskForm
        return super().get_form(request, obj, change=change, **options)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        if not self.has_change_permission(request):
            return {}
        actions = super().get_actions(request)
        own = set(PeriodicTaskAdmin.actions)
        return {
            name: (_audited(act) if name in own else act, name, text) for act, name, text in actions.values()
        }

    def get_deleted_objects(self, objs: Iterable[PeriodicTask], request: HttpRequest) -> Any:
        own = sorted(task.name for task in objs if is_own(task.name))
        if own:
            raise Conflict(f"Part of the site, to be switched off rather than deleted: {', '.join(own)}.")
        return super().get_deleted_objects(objs, request)


class _TimeAdmin(RefusalsAsMessages, ScheduleAdmin, AuditedAdmin):  # type: ignore[misc] # the package ships no types
    """Times that tasks share. Deleting one deletes its tasks, so those of the site's own stay."""

    column: ClassVar[str]

    def get_deleted_objects(self, objs: Iterable[Any], request: HttpRequest) -> Any:
        tasks = PeriodicTask.objects.filter(**{f"{self.column}__in": list(objs)})
        own = sorted(filter(is_own, tasks.values_list("name", flat=True)))
        if own:
            raise Conflict(
                f"Give the site's own tasks another time before you delete this: {', '.join(own)}."
            )
        return super().get_deleted_objects(objs, request)


@admin.register(IntervalSchedule)
class IntervalAdmin(_TimeAdmin):
    group, icon, rank = "System", "timer", 21
    about = "Spans of time that tasks repeat after."
    empty = "Add one to let a task of your own repeat after it."
    column = "interval"


@admin.register(CrontabSchedule)
class CrontabAdmin(_TimeAdmin):
    group, icon, rank = "System", "calendar_clock", 22
    about = "Times of the clock that tasks run at, each in a zone of its own."
    empty = "Add one to let a task of your own run at it."
    column = "crontab"
    list_display = CrontabScheduleAdmin.list_display
    fields = CrontabScheduleAdmin.fields
    readonly_fields = CrontabScheduleAdmin.readonly_fields


def _audited(act: Callable[..., Any]) -> Callable[..., Any]:
    """The action, with an entry in the audit for each task that it was done to."""

    @wraps(act)
    def audited(table: Any, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> Any:
        tasks = list(queryset)
        answer = act(table, request, queryset)
        for task in tasks:
            record_audit(f"core.{act.__name__}", by=request.user, target=task, after={"name": task.name})
        return answer

    return audited


def _is_own(task: PeriodicTask | None) -> bool:
    return task is not None and is_own(task.name)
