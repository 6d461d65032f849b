"""Tables that grow with every request: read a page at a time, never counted or scanned whole."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from apps.core.admin.tables import ReadOnlyAdmin

COUNTED = 10_000
NAMES_FOUND = 50


class BoundedPaginator(Paginator):  # type: ignore[type-arg] # generic in its stub only
    """Counts and turns no more than the first ``COUNTED`` rows; filters reach the others."""

    template_name = "core/bounded_pages.html"

    @cached_property
    def count(self) -> int:
        return min(self._counted, COUNTED)

    @property
    def is_cut(self) -> bool:
        """Whether there are more rows than are counted."""
        return self._counted > COUNTED

    @cached_property
    def _counted(self) -> int:
        # The order would make the database sort what it only has to count.
        rows: Any = self.object_list
        return int(rows.order_by()[: COUNTED + 1].count())


class LogAdmin(ReadOnlyAdmin):
    """Newest first by the primary key, which grows with time.

    A word is looked up among the ids of ``exact`` and, by their own search, in the tables of
    ``named``; a search in the log's text columns, or a filter by all values that there are, would
    read all of it.
    """

    exact: ClassVar[Sequence[str]] = ("pk",)
    named: ClassVar[Sequence[str]] = ()
    # get_search_results does the work; the name here only says that there is a search.
    search_fields = ("pk",)
    ordering: Sequence[str] = ("-pk",)
    paginator = BoundedPaginator
    show_full_result_count = False
    list_filter_submit = True

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(pk__in=[])
        for name in self.exact:
            found |= self._exactly(name, term)
        for name in self.named:
            found |= Q(**{f"{name}__in": self._named(request, name, term)})
        return queryset.filter(found), False

    def _exactly(self, name: str, term: str) -> Q:
        field: Any = self.opts.pk if name == "pk" else self.opts.get_field(name)
        try:
            value = getattr(field, "target_field", field).to_python(term)
        except ValidationError:
            return Q(pk__in=[])
        return Q(**{name: value})

    def _named(self, request: HttpRequest, name: str, term: str) -> list[Any]:
        related: Any = self.opts.get_field(name).related_model
        table = admin.site.get_model_admin(related)
        rows, _ = table.get_search_results(request, related._default_manager.all(), term)
        return list(rows.values_list("pk", flat=True)[:NAMES_FOUND])
