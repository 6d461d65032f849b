from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils import timezone

if TYPE_CHECKING:
    from apps.accounts.models import Session, User  # noqa: F401 - the models import this module


class UserQuerySet(models.QuerySet["User"]):
    def viewers(self) -> "UserQuerySet":
        """Everybody who counts as a viewer: imported and merged people do not."""
        return self.filter(is_imported=False, merged_into=None)

    def simulated(self) -> "UserQuerySet":
        return self.filter(is_simulated=True)

    def with_account(self) -> "UserQuerySet":
        return self.filter(is_imported=False, is_guest=False)

    def present(self) -> "UserQuerySet":
        """Everybody for whom somebody may act: neither merged into another nor deactivated."""
        return self.filter(is_active=True, merged_into=None)

    def named(self, username: str) -> "UserQuerySet":
        """By name in any case, folded by the database as its unique index folds it."""
        return self.alias(folded=Lower("username")).filter(folded=Lower(Value(username)))

    def merged_into(self, user: "User") -> "UserQuerySet":
        """The guests whose preferences went over to this account at a log-in."""
        return self.filter(merged_into=user)


class SessionQuerySet(models.QuerySet["Session"]):
    def of(self, user: "User") -> "SessionQuerySet":
        return self.filter(user=user)

    def open(self) -> "SessionQuerySet":
        """Not expired yet."""
        return self.filter(expire_date__gt=timezone.now())
