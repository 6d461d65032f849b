"""Tables without services of their own: what staff do to a row still goes into the audit."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from apps.core.admin.tables import ExplainedAdmin
from apps.core.services import record_audit


class AuditedAdmin(ExplainedAdmin):
    """Writes an entry for each row that is added, changed or deleted here, with what it held before."""

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        given = {name: form.cleaned_data.get(name) for name in form.changed_data}
        held = {name: form.initial.get(name) for name in form.changed_data} if change else {}
        self._record(request, obj, "update" if change else "create", before=held, after=given)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self._record(request, obj, "delete", before=_columns(obj))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self._record(request, row, "delete", before=_columns(row))
        super().delete_queryset(request, queryset)

    def _record(
        self,
        request: HttpRequest,
        row: Model,
        verb: str,
        *,
        before: Mapping[str, Any],
        after: Mapping[str, Any] | None = None,
    ) -> None:
        record_audit(
            f"{self.opts.app_label}.{verb}_{self.opts.model_name}",
            by=request.user,
            target=row,
            before=_plain(before),
            after=_plain(after or {}),
        )


def _columns(row: Model) -> dict[str, Any]:
    return {field.name: field.value_from_object(row) for field in row._meta.concrete_fields}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON: a row is named by its text, a set of rows by a list of these."""
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, Iterable):
        return [_plain_value(one) for one in value]
    return str(value)
