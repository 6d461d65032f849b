"""Users, groups and API keys for staff."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm

from apps.accounts.forms import ApiKeyForm, NewUserForm, StaffLoginForm
from apps.accounts.keys import create_api_key, revoke_api_key
from apps.accounts.models import ApiKey, User
from apps.accounts.privacy import erase_user
from apps.core.errors import ApplicationError
from apps.core.services import record_audit

admin.site.login_form = StaffLoginForm
admin.site.unregister(Group)
# Their page shows the token itself, which opens its user's account.
admin.site.unregister([OutstandingToken, BlacklistedToken])


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc] # unfold ships no types
    pass


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc,type-arg] # unfold ships no types
    """Deleting erases, by the privacy registry. Only a superuser hands out power."""

    form = UserChangeForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "is_staff", "is_guest", "is_imported", "is_active", "date_joined"]
    list_filter = ["is_staff", "is_superuser", "is_guest", "is_imported", "is_active", "groups"]
    search_fields = ["username", "email", "=id"]
    ordering = ["-id"]
    fieldsets = [
        (None, {"fields": ["username", "password", "email", "first_name", "last_name", "timezone"]}),
        ("Rights", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Origin", {"fields": ["unit_key", "is_guest", "is_imported", "merged_into", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["username", "email", "password1", "password2"]})]
    readonly_fields = ["unit_key", "is_guest", "is_imported", "merged_into", "date_joined"]
    POWERS = ["is_staff", "is_superuser", "groups", "user_permissions"]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        return self.readonly_fields if _is_superuser(request) else self.readonly_fields + self.POWERS

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return _may_touch(request, obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return _may_touch(request, obj) and bool(super().has_delete_permission(request, obj))

    def save_model(self, request: HttpRequest, obj: User, form: "ModelForm[User]", change: bool) -> None:
        super().save_model(request, obj, form, change)
        # Names of fields only: the values are personal, and the audit outlives the person.
        verb = "change" if change else "create"
        record_audit(
            f"accounts.{verb}_user", by=_actor(request), target=obj, after={"fields": form.changed_data}
        )

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """The rooms know what they hold; Django's own list would load all of it."""
        people = list(objs)
        forbidden = (
            {"user"} if not all(self.has_delete_permission(request, user) for user in people) else set()
        )
        what = [f"{user.username}, with everything held about this person" for user in people]
        return what, {"users": len(people)}, forbidden, []

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        erase_user(obj, by=_actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            erase_user(user, by=_actor(request))


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):  # type: ignore[misc] # unfold ships no types
    """Made and revoked, never changed or deleted."""

    form = ApiKeyForm
    list_display = ["name", "prefix", "scope_list", "created_at", "expires_at", "revoked_at", "last_used_on"]
    list_filter = ["revoked_at", "expires_at"]
    search_fields = ["name", "prefix"]
    actions = ["revoke"]
    all_fields = ["name", "prefix", "scopes", "created_at", "expires_at", "revoked_at", "last_used_on"]

    @display(description="Scopes")  # type: ignore[untyped-decorator] # unfold ships no types
    def scope_list(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        return self.all_fields if obj else ["name", "scopes", "expires_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        return self.all_fields if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: "ModelForm[ApiKey]", change: bool) -> None:
        if change:
            return
        key, text = create_api_key(
            name=obj.name, scopes=obj.scopes, expires_at=obj.expires_at, by=_actor(request)
        )
        obj.pk = key.pk
        messages.warning(request, f"The key is {text} and will not be shown again: copy it now.")

    @action(description="Revoke the selected keys", permissions=["change"])  # type: ignore[untyped-decorator] # unfold ships no types
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            try:
                revoke_api_key(key=key, by=_actor(request))
            except ApplicationError as refusal:
                messages.error(request, refusal.detail)
            else:
                messages.success(request, f"The key {key.name!r} is revoked")


def _actor(request: HttpRequest) -> User:
    """Whoever is in the admin: it lets nobody else in."""
    if not isinstance(request.user, User):
        raise TypeError("the admin serves signed-in staff only")
    return request.user


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    """Staff who keep viewers' accounts must not get at colleagues' ones, whose rights they would gain."""
    return user is None or not (user.is_staff or user.is_superuser) or _is_superuser(request)
