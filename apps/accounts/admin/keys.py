"""API keys: made, shown once, revoked; never changed or deleted."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.db.models import CharField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

from apps.accounts.admin.people import actor_of
from apps.accounts.forms import ApiKeyForm
from apps.accounts.keys import create_api_key, revoke_api_key
from apps.accounts.models import ApiKey
from apps.core.admin import ExplainedAdmin
from apps.core.admin.columns import column, list_action
from apps.core.errors import ApplicationError
from apps.core.models import AuditEntry


class StateFilter(DropdownFilter):  # type: ignore[misc] # unfold ships no types
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("good", "good"), ("expired", "expired"), ("revoked", "revoked"), ("unused", "never used")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        expired = Q(expires_at__lte=timezone.now())
        states = {
            "good": Q(revoked_at=None) & ~expired,
            "expired": Q(revoked_at=None) & expired,
            "revoked": Q(revoked_at__isnull=False),
            "unused": Q(last_used_on=None),
        }
        chosen = states.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


@admin.register(ApiKey)
class ApiKeyAdmin(ExplainedAdmin):
    group, icon, rank = "System", "key", 31
    about = "Credentials of programs. A key is shown once, when it is made; afterwards only its beginning."
    empty = "Add one for each program that uses the API, with no more scopes than it needs."
    explanations = {
        "prefix": "The beginning of the key, to tell keys apart.",
        "scopes": "What the program may do. A key holds nothing else: no page, no admin.",
        "expires_at": "The key opens nothing from then on. Empty: it does not expire.",
        "revoked_at": "The key opens nothing since then. Empty while it is good.",
        "last_used_on": "Empty while it was never used.",
    }

    form = ApiKeyForm
    list_display = ["name", "prefix", "state", "scope_list", "used", "expires_at", "created_at", "made_by"]
    list_filter = [StateFilter]
    list_filter_submit = True
    search_fields = ["name", "prefix"]
    search_help_text = "Part of the name, or the beginning of the key"
    ordering = ["-id"]
    actions = ["revoke"]
    row_actions = {"revoke": "Revoke this key"}
    all_fields = [
        "name",
        "prefix",
        "state",
        "scopes",
        "created_at",
        "made_by",
        "expires_at",
        "revoked_at",
        "last_used_on",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        made = AuditEntry.objects.filter(
            action="accounts.create_api_key", target_id=Cast(OuterRef("pk"), CharField())
        )
        rows: QuerySet[ApiKey] = (
            super().get_queryset(request).annotate(maker=Subquery(made.values("actor_name")[:1]))
        )
        return rows

    @column("Scopes")
    def scope_list(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @column("State", label={"good": "success", "expired": "warning", "revoked": "danger"})
    def state(self, key: ApiKey) -> str:
        if key.revoked_at is not None:
            return "revoked"
        return "expired" if key.expires_at is not None and key.expires_at <= timezone.now() else "good"

    @column("Last used", ordering="last_used_on")
    def used(self, key: ApiKey) -> Any:
        return key.last_used_on or "never"

    @column("Made by")
    def made_by(self, key: Any) -> str:
        return key.maker or "–"

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        return self.all_fields if obj else ["name", "scopes", "expires_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        return self.all_fields if obj else []

    def row_actions_of(self, row: ApiKey) -> Mapping[str, str]:
        return self.row_actions if row.revoked_at is None else {}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Nothing of a key is changed, so there is nothing to save."""
        shown = {"show_save": False, "show_save_and_continue": False, "show_save_and_add_another": False}
        answer: HttpResponse = super().change_view(
            request, object_id, form_url, {**shown, **(extra_context or {})}
        )
        return answer

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: "ModelForm[ApiKey]", change: bool) -> None:
        if change:
            return
        key, text = create_api_key(
            name=obj.name, scopes=obj.scopes, expires_at=obj.expires_at, by=actor_of(request)
        )
        obj.pk, obj.prefix = key.pk, key.prefix
        messages.warning(request, f"The key is {text} and will not be shown again: copy it now.")

    @list_action("Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            try:
                revoke_api_key(key=key, by=actor_of(request))
            except ApplicationError as refusal:
                messages.error(request, refusal.detail)
            else:
                messages.success(request, f"The key {key.name!r} is revoked")
