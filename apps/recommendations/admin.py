"""Viewers: what they said, what they were shown and why; and what staff may do about one."""

from functools import partial
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe
from unfold.contrib.filters.admin import BooleanRadioFilter

from apps.accounts.admin.people import KIND_LABELS, actor_of, kind_of, may_touch
from apps.accounts.models import User
from apps.accounts.privacy import erase_user, export_user
from apps.accounts.services import activate_user, deactivate_user
from apps.core import converters  # noqa: F401 - makes <id:…> known
from apps.core.admin import (
    BoundedPaginator,
    DayRangeFilter,
    ExplainedAdmin,
    Link,
    list_link,
    may_see,
    offer_links,
    row_url,
)
from apps.core.admin.asking import Act, act_with_reason
from apps.core.admin.columns import column, list_action
from apps.core.errors import Forbidden
from apps.events.models import Feedback, RecommendationEvent, Slate
from apps.ratings.models import Rating
from apps.recommendations.dossiers import dossier_of
from apps.recommendations.explaining import explain, explain_slate
from apps.recommendations.models import Viewer

N_NOW = 12


class EraseForm(forms.Form):
    """Typed, not clicked: an erasure cannot be taken back."""

    username = forms.CharField(max_length=150, label="Name of the viewer", strip=True)

    def __init__(self, viewer: Viewer, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._viewer = viewer

    def clean_username(self) -> str:
        typed = str(self.cleaned_data["username"])
        if typed != self._viewer.username:
            raise forms.ValidationError(f"This is not the name: type {self._viewer.username}")
        return typed


@admin.register(Viewer)
class ViewerAdmin(ExplainedAdmin):
    group, icon, rank = "Viewers", "person_search", 0
    about = "Accounts and guests by what they watch. Whoever came with a data set is no viewer."
    empty = "The first visitor who rates or clicks something becomes a viewer."
    list_display = ["username", "kind", "ratings", "last_act", "is_active", "date_joined"]
    list_filter = [
        ("is_guest", BooleanRadioFilter),
        ("is_active", BooleanRadioFilter),
        ("date_joined", DayRangeFilter),
    ]
    list_filter_submit = True
    search_fields = ["username", "email", "=id"]
    search_help_text = "Part of a name or an email address, or the number of the viewer"
    ordering = ["-id"]
    paginator = BoundedPaginator
    show_full_result_count = False
    fields = ["username"]
    actions = ["deactivate", "activate"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Viewer]:
        given = Rating.objects.standing().filter(user_id=OuterRef("pk")).order_by().values("user_id")
        said = Feedback.objects.filter(user_id=OuterRef("pk")).order_by().values("user_id")
        rows: QuerySet[Viewer] = super().get_queryset(request).filter(is_imported=False, merged_into=None)
        return rows.annotate(
            n_ratings=Coalesce(Subquery(given.annotate(n=Count("pk")).values("n")), 0),
            said_at=Subquery(said.annotate(at=Max("occurred_at")).values("at")),
        )

    @column("Kind", label=KIND_LABELS)
    def kind(self, viewer: Viewer) -> str:
        return kind_of(viewer)

    @column("Ratings")
    def ratings(self, viewer: Any) -> int:
        return int(viewer.n_ratings)

    @column("Last act")
    def last_act(self, viewer: Any) -> Any:
        return viewer.said_at or "none yet"

    # --- Permissions: whoever may act on viewers may not act on colleagues --------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Viewer | None = None) -> bool:
        return may_touch(request, obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Viewer | None = None) -> bool:
        return may_touch(request, obj) and bool(super().has_delete_permission(request, obj))

    def has_export_permission(self, request: HttpRequest, obj: Viewer | None = None) -> bool:
        return may_touch(request, obj) and request.user.has_perm("recommendations.export_viewer")

    # --- Pages ---------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, Any, str]] = [
            ("<id:object_id>/now/", require_safe(self.now_view), "now"),
            ("slates/<uuid:slate_id>/", require_safe(self.why_view), "why"),
            ("<id:object_id>/export/", require_POST(self.export_view), "export"),
        ]
        wrap = self.admin_site.admin_view
        own = [path(route, wrap(view), name=f"recommendations_viewer_{name}") for route, view, name in pages]
        return [*own, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of a viewer; it has buttons, but no fields."""
        if object_id is None or request.method not in {"GET", "HEAD"}:
            raise PermissionDenied
        viewer = self._seen(request, object_id)
        return self._page(
            request,
            "recommendations/viewer.html",
            viewer,
            dossier=dossier_of(viewer),
            kind=kind_of(viewer),
            links=self.links_of(request, viewer),
            may_change=self.has_change_permission(request, viewer),
            may_erase=self.has_delete_permission(request, viewer),
            may_export=self.has_export_permission(request, viewer),
        )

    def now_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What the viewer would be shown now. Nothing is logged: nobody sees these films."""
        viewer = self._seen(request, object_id)
        title = f"What {viewer.username} would be shown now"
        return self._page(
            request, "recommendations/now.html", viewer, title=title, explanation=explain(viewer, N_NOW)
        )

    def why_view(self, request: HttpRequest, slate_id: UUID) -> HttpResponse:
        """Why each film of a list was in its place, whoever saw it."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        slate = Slate.objects.filter(pk=slate_id).first()
        if slate is None:
            raise Http404(f"There is no list {slate_id}")
        viewer = self.get_object(request, str(slate.user_id)) if slate.user_id else None
        who = viewer.username if viewer else "somebody without a row"
        title = f"Why {who} was shown these films"
        return self._page(
            request, "recommendations/why.html", viewer, title=title, explained=explain_slate(slate)
        )

    def export_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        if not self.has_export_permission(request):
            raise PermissionDenied
        viewer = self._viewer(request, object_id)
        if not self.has_export_permission(request, viewer):
            raise PermissionDenied
        answer = HttpResponse(export_user(viewer, by=actor_of(request)), content_type="application/zip")
        answer.headers["Content-Disposition"] = f'attachment; filename="marquee-viewer-{viewer.pk}.zip"'
        return answer

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Erases by the privacy registry, once the viewer's name was typed."""
        if not self.has_delete_permission(request):
            raise PermissionDenied
        viewer = self._viewer(request, object_id)
        if not self.has_delete_permission(request, viewer):
            raise PermissionDenied
        form = EraseForm(viewer, request.POST if request.method == "POST" else None)
        if not form.is_valid():
            title = f"Erase {viewer.username}?"
            return self._page(request, "recommendations/erase_viewer.html", viewer, title=title, form=form)
        erase_user(viewer, by=actor_of(request))
        messages.success(request, "All that was held about this person is erased.")
        return redirect("admin:recommendations_viewer_changelist")

    # --- Actions -------------------------------------------------------------------------------------

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Erasing takes a name typed for each, so it is no action on several."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @list_action("Deactivate the selected viewers", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Viewer]) -> HttpResponse | None:
        run = partial(self._switch, request, deactivate_user)
        act = Act(
            "Let these people in no more?", "Deactivate them", "Viewers deactivated", run, undo="activate"
        )
        return act_with_reason(self, request, queryset.filter(is_active=True), act)

    @list_action("Activate the selected viewers again", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Viewer]) -> HttpResponse | None:
        run = partial(self._switch, request, activate_user)
        act = Act("Let these people in again?", "Activate them", "Viewers activated", run, undo="deactivate")
        return act_with_reason(self, request, queryset.filter(is_active=False), act)

    def _switch(self, request: HttpRequest, service: Any, viewer: Viewer, reason: str) -> None:
        if not self.has_change_permission(request, viewer):
            raise Forbidden(f"{viewer.username} is a colleague, on whom only a superuser acts")
        service(user=viewer, by=actor_of(request), reason=reason)

    def _seen(self, request: HttpRequest, object_id: str | int) -> Viewer:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return self._viewer(request, object_id)

    def _viewer(self, request: HttpRequest, object_id: str | int) -> Viewer:
        viewer: Viewer | None = self.get_object(request, str(object_id))
        if viewer is None:
            raise Http404(f"There is no viewer {object_id}")
        return viewer

    def _page(
        self, request: HttpRequest, template: str, viewer: Viewer | None, **context: Any
    ) -> TemplateResponse:
        request.current_app = self.admin_site.name
        shared = {"opts": self.opts, "viewer": viewer, "original": viewer, "title": str(viewer or "")}
        return TemplateResponse(
            request, template, {**self.admin_site.each_context(request), **shared, **context}
        )


# --- Links between viewers and what lower rooms have -------------------------------------------------


def _all_ratings(request: HttpRequest, viewer: Viewer) -> Link | None:
    return list_link(request, Rating, "All ratings", user__id__exact=viewer.pk)


def _all_slates(request: HttpRequest, viewer: Viewer) -> Link | None:
    return list_link(request, Slate, "All lists shown", user__id__exact=viewer.pk)


def _all_impressions(request: HttpRequest, viewer: Viewer) -> Link | None:
    return list_link(request, RecommendationEvent, "All films shown", user__id__exact=viewer.pk)


def _all_feedback(request: HttpRequest, viewer: Viewer) -> Link | None:
    return list_link(request, Feedback, "All that was said", user__id__exact=viewer.pk)


def _account(request: HttpRequest, viewer: Viewer) -> Link | None:
    if not may_see(request, User):
        return None
    return Link("The account", row_url(User, viewer.pk), "manage_accounts")


def _now(request: HttpRequest, viewer: Viewer) -> Link | None:
    url = reverse("admin:recommendations_viewer_now", args=[viewer.pk])
    return Link("What would be shown now", url, "auto_awesome")


def _viewer_of_user(request: HttpRequest, user: User) -> Link | None:
    if user.is_imported or user.merged_into_id is not None:
        return None
    return _viewer_link(request, user.pk)


def _viewer_of_row(request: HttpRequest, row: Slate | RecommendationEvent | Feedback) -> Link | None:
    return None if row.user_id is None else _viewer_link(request, row.user_id)


def _why(request: HttpRequest, slate: Slate) -> Link | None:
    return _why_link(request, "Why these films", str(slate.pk))


def _why_this(request: HttpRequest, event: RecommendationEvent) -> Link | None:
    return _why_link(request, "Why this film", str(event.slate_id), f"#film-{event.pk}")


def _why_link(request: HttpRequest, text: str, slate_id: str, spot: str = "") -> Link | None:
    if not may_see(request, Viewer):
        return None
    return Link(text, reverse("admin:recommendations_viewer_why", args=[slate_id]) + spot, "help")


def _viewer_link(request: HttpRequest, user_id: int) -> Link | None:
    if not may_see(request, Viewer):
        return None
    return Link("What this viewer said and was shown", row_url(Viewer, user_id), "person_search")


offer_links(Viewer, _now, _all_ratings, _all_slates, _all_impressions, _all_feedback, _account)
offer_links(User, _viewer_of_user)
offer_links(Slate, _why, _viewer_of_row)
offer_links(RecommendationEvent, _why_this, _viewer_of_row)
offer_links(Feedback, _viewer_of_row)
