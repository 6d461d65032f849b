"""Who may use an endpoint. Every endpoint states one of these."""

from typing import TYPE_CHECKING, ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.accounts.models import ApiKey, User

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it loads this module for its defaults


class NobodyUnlessStated(BasePermission):
    """The default: an endpoint that states no permission serves nobody."""

    message = "This address states no permission, so nobody may use it"

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return False


class Visitor(BasePermission):
    """Anybody: guests by their cookie, people before their cookie, accounts and programs."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return True


class Oneself(BasePermission):
    """Anybody but a program: what there is belongs to a person."""

    message = "An API key is no person: there is nothing of its own here"

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return not isinstance(request.auth, ApiKey)


class Account(BasePermission):
    """A signed-in account for itself; no guest, no program."""

    message = "This needs an account: sign up or log in"

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.user, User) and request.user.has_account


class Viewer(BasePermission):
    """An account for itself, or a program whose key may act for users."""

    message = "This needs an account: sign up or log in"

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if isinstance(request.auth, ApiKey):
            self.message = "This API key lacks the scope act_for_users"
            return request.auth.grants(ApiKey.Scope.ACT_FOR_USERS)
        return isinstance(request.user, User) and request.user.has_account


class _Holds(BasePermission):
    permission: ClassVar[str]
    scope: ClassVar[str | None]

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if isinstance(request.auth, ApiKey):
            self.message = (
                f"This API key lacks the scope {self.scope}" if self.scope else "API keys cannot do this"
            )
            return self.scope is not None and request.auth.grants(self.scope)
        self.message = f"This needs a member of staff with the permission {self.permission}"
        user = request.user
        return isinstance(user, User) and user.is_staff and user.has_perm(self.permission)


def Holds(permission: str, *, scope: str | None = None) -> type[BasePermission]:
    """Staff with ``permission`` ("app.codename"), or a key with ``scope``; no scope, no key."""
    return type("Holds", (_Holds,), {"permission": permission, "scope": scope})
