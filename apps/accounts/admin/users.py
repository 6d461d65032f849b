"""Accounts, guests, imported people, and the groups of staff."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter
from unfold.forms import AdminPasswordChangeForm, UserChangeForm

from apps.accounts.admin.people import KIND_LABELS, actor_of, is_superuser, kind_of, may_touch
from apps.accounts.forms import NewUserForm, StaffLoginForm
from apps.accounts.models import User
from apps.accounts.privacy import erase_user
from apps.core.admin import AuditedAdmin, BoundedPaginator, DayRangeFilter, ExplainedAdmin, Link, offer_links
from apps.core.admin.columns import column
from apps.core.services import record_audit

admin.site.login_form = StaffLoginForm
admin.site.unregister(Group)
# Their page shows the token itself, which opens its user's account.
admin.site.unregister([OutstandingToken, BlacklistedToken])


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, AuditedAdmin):  # type: ignore[misc] # unfold ships no types
    group, icon, rank = "System", "groups", 30
    about = "Permissions that members of staff get together."
    empty = "Add one to give several members of staff the same permissions."
    list_display = ["name"]


class KindFilter(DropdownFilter):  # type: ignore[misc] # unfold ships no types
    title = "kind"
    parameter_name = "kind"
    KINDS = {
        "account": Q(is_guest=False, is_imported=False),
        "guest": Q(is_guest=True, is_simulated=False, merged_into=None),
        "merged guest": Q(merged_into__isnull=False),
        "imported": Q(is_imported=True),
        "simulated": Q(is_simulated=True),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in self.KINDS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        chosen = self.KINDS.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


ORIGIN = ("unit_key", "is_guest", "is_imported", "is_simulated", "merged_into", "date_joined")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ExplainedAdmin):  # type: ignore[misc,type-arg] # unfold ships no types
    """Deleting erases, by the privacy registry. Only a superuser hands out power."""

    group, icon, rank = "Viewers", "manage_accounts", 10
    about = (
        "Accounts, guests, simulated viewers, and people who came with a data set. Deleting one erases all "
        "that is held of them."
    )
    empty = "Run manage.py createsuperuser to make the first account."
    explanations = {
        "timezone": "Tells morning from evening for this viewer. Empty: the browser's zone, else the site's.",
        "unit_key": "The random key that stands for this viewer in lists and experiments.",
        "is_guest": "Whether this is a visitor without an account, known by a cookie.",
        "is_imported": "Whether this person came with a data set: no log-in, and no viewer of the site.",
        "is_simulated": "Whether manage.py simulate plays this viewer. Nobody is behind them.",
        "merged_into": "The account that a guest logged in to. Empty for everybody else.",
    }

    form = UserChangeForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "kind", "is_staff", "is_active", "last_login", "date_joined"]
    list_filter = [
        KindFilter,
        "is_active",
        "is_staff",
        "is_superuser",
        ("groups", RelatedDropdownFilter),
        ("date_joined", DayRangeFilter),
    ]
    list_filter_submit = True
    search_fields = ["username", "email", "=id"]
    search_help_text = "Part of a name or an email address, or the number of the row"
    ordering = ["-id"]
    paginator = BoundedPaginator
    show_full_result_count = False
    # Of the password's hash nothing is shown: the page to set a new one has a link of its own.
    fieldsets = [
        (None, {"fields": ["username", "email", "first_name", "last_name", "timezone"]}),
        ("Rights", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Origin", {"fields": [*ORIGIN]}),
    ]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["username", "email", "password1", "password2"]})]
    readonly_fields = [*ORIGIN]
    POWERS = ["is_staff", "is_superuser", "groups", "user_permissions"]

    @column("Kind", label=KIND_LABELS)
    def kind(self, user: User) -> str:
        return kind_of(user)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        return self.readonly_fields if is_superuser(request) else self.readonly_fields + self.POWERS

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return may_touch(request, obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return may_touch(request, obj) and bool(super().has_delete_permission(request, obj))

    def save_model(self, request: HttpRequest, obj: User, form: "ModelForm[User]", change: bool) -> None:
        super().save_model(request, obj, form, change)
        # Names of fields only: the values are personal, and the audit outlives the person. Powers are not.
        powers = {name: _plain(form, name) for name in self.POWERS if name in form.changed_data}
        record_audit(
            f"accounts.{'change' if change else 'create'}_user",
            by=actor_of(request),
            target=obj,
            after={"fields": form.changed_data, **powers},
        )

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        answer = super().user_change_password(request, id, form_url)
        if request.method == "POST" and answer.status_code == 302:
            user = User.objects.filter(pk=id).first()
            record_audit("accounts.set_password", by=actor_of(request), target=user)
        return answer

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
        erase_user(obj, by=actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            erase_user(user, by=actor_of(request))


def _plain(form: "ModelForm[User]", name: str) -> Any:
    value = form.cleaned_data[name]
    return value if isinstance(value, bool) else [str(one) for one in value]


def _password_link(request: HttpRequest, user: User) -> Link | None:
    table = admin.site.get_model_admin(User)
    if not user.has_account or not table.has_change_permission(request, user):
        return None
    return Link("Set a password", reverse("admin:auth_user_password_change", args=[user.pk]), "password")


offer_links(User, _password_link)
