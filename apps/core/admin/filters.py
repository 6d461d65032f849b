"""Filters that know their values: no table is read to offer them."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from django import forms
from django.db.models import DateTimeField, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter, RangeDateFilter
from unfold.widgets import INPUT_CLASSES

__all__ = ["AutocompleteSelectFilter", "DayRangeFilter", "KnownValuesFilter", "known_values"]


class _DayRangeForm(forms.Form):
    """Two fields of the browser's own, which need no script."""

    def __init__(self, name: str, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for end, label in (("from", "First day"), ("to", "Last day")):
            attributes = {"type": "date", "aria-label": label, "class": " ".join(INPUT_CLASSES)}
            self.fields[f"{name}_{end}"] = forms.DateField(
                label=label, required=False, widget=forms.DateInput(attrs=attributes)
            )


class DayRangeFilter(RangeDateFilter):  # type: ignore[misc] # unfold ships no types
    """From a day to a day, both included, in the site's time zone. What is no day filters nothing."""

    form_class = _DayRangeForm

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = self._day("from"), self._day("to")
        if first is not None:
            queryset = queryset.filter(**{f"{self.field_path}__gte": self._beginning(first)})
        if last is not None and last < date.max:
            queryset = queryset.filter(**{f"{self.field_path}__lt": self._beginning(last + timedelta(1))})
        return queryset

    def _day(self, end: str) -> date | None:
        try:
            return parse_date(str(self.used_parameters.get(f"{self.parameter_name}_{end}", "")))
        except ValueError:
            return None

    def _beginning(self, day: date) -> date | datetime:
        if not isinstance(self.field, DateTimeField):
            return day
        return timezone.make_aware(datetime.combine(day, time.min))


class KnownValuesFilter(DropdownFilter):  # type: ignore[misc] # unfold ships no types
    """One of the values that the program knows the column to have. Made by ``known_values``."""

    values: ClassVar[Iterable[tuple[str, str]]] = ()
    lookup: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.values)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return queryset.filter(**{self.lookup: chosen}) if chosen else queryset


def known_values(
    lookup: str, values: Iterable[str | tuple[str, str]], *, title: str
) -> type[KnownValuesFilter]:
    """A filter of ``lookup`` by these values, each alone or with the words for it."""
    pairs = [(value, value) if isinstance(value, str) else value for value in values]
    attributes = {"title": title, "parameter_name": lookup, "lookup": lookup, "values": pairs}
    return type("KnownValues", (KnownValuesFilter,), attributes)
