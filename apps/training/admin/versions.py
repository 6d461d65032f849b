"""Versions for staff."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from apps.core.admin import Link, ReadOnlyAdmin, RefusalsAsMessages, may_see, row_url
from apps.core.admin.columns import column, list_action
from apps.experiments.policy import current_policy
from apps.training.admin.holding import go_back_view, may_go_back
from apps.training.admin.overriding import may_override, override_view
from apps.training.gate import read_checks
from apps.training.models import BackTest, ModelVersion, TrainingRun
from apps.training.registry import engine, refusal_of
from apps.training.services import pin


@admin.register(ModelVersion)
class ModelVersionAdmin(RefusalsAsMessages, ReadOnlyAdmin):
    group, icon, rank = "Training", "deployed_code", 2
    about = (
        "Fits that ended well. One version of each recipe is live; when its files cannot be loaded it is"
        " refused, and the version before serves."
    )
    empty = "The first training that ends well makes a version; popular films are shown until then."
    list_display = [
        "name",
        "recipe",
        "state",
        "n_users",
        "n_movies",
        "n_ratings",
        "fit_seconds",
        "activated_at",
        "is_pinned",
    ]
    list_filter = ["status", "recipe", "is_pinned"]
    list_select_related = ["recipe"]
    search_fields = ["name"]
    actions = ["pin_files", "unpin_files"]
    row_actions = {"pin_files": "Pin", "unpin_files": "Unpin"}
    change_form_outer_before_template = "training/version.html"
    # Above the others, as a table.
    exclude = ["checks"]
    explanations = {
        "status": "live serves, unless the list says that its files are refused; retired did; refused failed"
        " a check beside what served.",
        "artifact": "The folder of its files below ARTIFACT_DIR. Empty once they were removed.",
        "metrics": "Seconds by step, bytes, rows read; of a fixed panel of people nDCG@10, and the share of"
        " films that reach somebody's list.",
        "refused_because": "Which of its checks it failed; empty for the others.",
        "overridden_because": "Why staff let it serve although it failed them.",
        "is_pinned": "Its files are kept, however many versions come after it.",
        "run": "The fit that made it.",
    }

    @column("Status", ordering="status")
    def state(self, version: ModelVersion) -> str:
        """The status; of a live version that this process could not load, why it could not."""
        recipe = version.recipe.name
        if version.status != ModelVersion.Status.LIVE:
            return version.get_status_display()
        if recipe == current_policy().recipe:
            # A process that has not served yet has not tried; of other recipes it need not.
            engine(recipe)
        refusal = refusal_of(version.name, recipe=recipe)
        return f"refused: {refusal.detail}" if refusal else version.get_status_display()

    def links_of(self, request: HttpRequest, row: ModelVersion) -> Sequence[Link]:
        test = BackTest.objects.filter(run=row.run_id).first() if row.run_id else None
        links = [*super().links_of(request, row)]
        if row.run_id and may_see(request, TrainingRun):
            links.append(Link("The run that made it", row_url(TrainingRun, row.run_id), "model_training"))
        if test and may_see(request, BackTest):
            links.append(Link("Its back-test", row_url(BackTest, test.pk), "fact_check"))
        return links

    def row_actions_of(self, row: ModelVersion) -> Mapping[str, str]:
        """Only what would change anything."""
        idle = "pin_files" if row.is_pinned or not row.artifact else "unpin_files"
        idle_too = "" if row.is_pinned or row.artifact else "unpin_files"
        return {name: text for name, text in self.row_actions.items() if name not in (idle, idle_too)}

    def has_pin_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("training.change_modelversion"))

    @list_action("Pin: keep the files of the selected versions", permissions=["pin"])
    def pin_files(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        self._pin(request, queryset, is_pinned=True)

    @list_action("Unpin: let the clean-up remove their files again", permissions=["pin"])
    def unpin_files(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        self._pin(request, queryset, is_pinned=False)

    def _pin(self, request: HttpRequest, queryset: QuerySet[ModelVersion], *, is_pinned: bool) -> None:
        names = [pin(version=one, by=request.user, is_pinned=is_pinned).name for one in queryset]
        messages.success(request, f"{'Pinned' if is_pinned else 'Unpinned'}: {', '.join(names)}.")

    # --- Pages -----------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap, ask = self.admin_site.admin_view, require_http_methods(["GET", "HEAD", "POST"])
        name = "training_modelversion"
        return [
            path("<id:object_id>/override/", wrap(ask(self.override_view)), name=f"{name}_override"),
            path("<id:object_id>/go-back/", wrap(ask(self.go_back_view)), name=f"{name}_go_back"),
            *super().get_urls(),
        ]

    def override_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return override_view(self, request, object_id)

    def go_back_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return go_back_view(self, request, object_id)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        version = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if version is not None:
            context |= {
                "checks": read_checks(version.checks),
                "may_override": may_override(request, version),
                "may_go_back": may_go_back(request, version),
            }
        answer: HttpResponse = super().change_view(request, object_id, form_url, context)
        return answer
