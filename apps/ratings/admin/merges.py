"""Merging two films that are one: chosen, looked at, then done."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.catalog.models import Movie
from apps.catalog.services import require_mergeable
from apps.core.admin import (
    AutocompleteSelectFilter,
    BoundedPaginator,
    ExplainedAdmin,
    Link,
    offer_action,
    offer_links,
)
from apps.core.admin.asking import MAX_REASON
from apps.core.admin.columns import column, list_action
from apps.core.errors import ApplicationError
from apps.ratings.merging import merge_movies, preview_merge
from apps.ratings.models import MovieMerge

CONFIRMED = "_merge"


class MergeForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    reason = forms.CharField(
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Goes into the audit.",
    )

    class Meta:
        model = MovieMerge
        fields = ["duplicate", "kept"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "duplicate" in cleaned and "kept" in cleaned:
            try:
                require_mergeable(duplicate=cleaned["duplicate"], kept=cleaned["kept"])
            except ApplicationError as refusal:
                raise forms.ValidationError(refusal.detail) from refusal
        return cleaned


@admin.register(MovieMerge)
class MovieMergeAdmin(ExplainedAdmin):
    """The add page shows what would move before anything does."""

    group, icon, rank = "Catalogue", "merge", 20
    about = (
        "Films that were in the catalogue twice. The duplicate is hidden, and its address leads to the other."
    )
    empty = "Choose two films that are one: what viewers said of the duplicate goes over to the other."
    form = MergeForm
    list_display = ["merged_at", "duplicate", "kept", "preferences"]
    list_filter = [("kept", AutocompleteSelectFilter)]
    list_filter_submit = True
    list_select_related = ["duplicate", "kept"]
    search_fields = ["duplicate__title", "kept__title"]
    ordering = ["-id"]
    paginator = BoundedPaginator
    show_full_result_count = False
    autocomplete_fields = ["duplicate", "kept"]
    actions = None
    add_fields = ["duplicate", "kept", "reason"]
    explanations = {
        "duplicate": "The film that is hidden.",
        "kept": "The film that gets what the duplicate had.",
    }

    def get_fields(self, request: HttpRequest, obj: MovieMerge | None = None) -> list[str]:
        return ["duplicate", "kept", "merged_at", "preferences"] if obj else self.add_fields

    def get_readonly_fields(self, request: HttpRequest, obj: MovieMerge | None = None) -> list[str]:
        return ["merged_at", "preferences"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_add_permission(request) and request.user.has_perm("catalog.change_movie"))

    def has_change_permission(self, request: HttpRequest, obj: MovieMerge | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: MovieMerge | None = None) -> bool:
        return False

    @column("What viewers said")
    def preferences(self, merge: MovieMerge) -> str:
        """Of what was said of both films either the duplicate's went over or the kept film's stands."""
        said = []
        for kind, counts in merge.moved.items():
            numbers = {"moved": counts["moved"] + counts["newer"], "stood": counts["older"]}
            happened = ", ".join(f"{number} {what}" for what, number in numbers.items() if number)
            said += [f"{kind}: {happened}"] if happened else []
        return "; ".join(said) or "nothing"

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST" and CONFIRMED not in request.POST:
            if not self.has_add_permission(request):
                raise PermissionDenied
            form = self.get_form(request)(request.POST)
            if form.is_valid():
                return self._preview(request, form)
        try:
            answer: HttpResponse = super().add_view(request, form_url, extra_context)
        except ApplicationError as refusal:  # somebody changed one of the films meanwhile
            messages.error(request, refusal.detail)
            return redirect("admin:ratings_moviemerge_add")
        return answer

    def save_model(self, request: HttpRequest, obj: MovieMerge, form: Any, change: bool) -> None:
        chosen = form.cleaned_data
        merge = merge_movies(
            duplicate=chosen["duplicate"], kept=chosen["kept"], reason=chosen["reason"], by=request.user
        )
        obj.pk = merge.pk

    def _preview(self, request: HttpRequest, form: Any) -> TemplateResponse:
        duplicate, kept = form.cleaned_data["duplicate"], form.cleaned_data["kept"]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Merge these films?",
            "duplicate": duplicate,
            "kept": kept,
            "reason": form.cleaned_data["reason"],
            "preview": preview_merge(duplicate=duplicate, kept=kept),
            "confirmed": CONFIRMED,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "ratings/merge_preview.html", context)


@list_action("Merge the two selected films", permissions=["change"])
def merge_selected(
    table: Any, request: HttpRequest, queryset: QuerySet[Movie]
) -> HttpResponseRedirect | None:
    """To the page where a merge begins. The film with more ratings is proposed to be kept."""
    pair = list(queryset.order_by("rating_count", "-pk")[:3])
    if len(pair) != 2:
        messages.error(request, "Choose two films to merge.")
        return None
    query = f"duplicate={pair[0].pk}&kept={pair[1].pk}"
    return HttpResponseRedirect(f"{reverse('admin:ratings_moviemerge_add')}?{query}")


def _merge_link(request: HttpRequest, movie: Movie) -> Link | None:
    if movie.merged_into_id is not None or not may_merge(request):
        return None
    url = f"{reverse('admin:ratings_moviemerge_add')}?duplicate={movie.pk}"
    return Link("Merge it into another film", url, "merge")


def may_merge(request: HttpRequest) -> bool:
    return bool(admin.site.get_model_admin(MovieMerge).has_add_permission(request))


offer_action(Movie, merge_selected, may=may_merge)
offer_links(Movie, _merge_link)
