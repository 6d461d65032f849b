"""What the settings show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Session, User
from apps.accounts.tokens import standing_tokens
from apps.accounts.units import viewer_timezone
from apps.pages.tabs import Tab

PAGE_LENGTH = 24
_FOR_ALL = {"settings": "Profile", "settings-data": "Your data"}
_FOR_ACCOUNTS = {
    "settings": "Profile",
    "settings-password": "Password",
    "settings-sessions": "Sessions",
    "settings-data": "Your data",
}


def tabs_of_settings(request: HttpRequest) -> list[Tab]:
    """A guest has no password and no session."""
    names = _FOR_ACCOUNTS if request.user.is_authenticated else _FOR_ALL
    here = request.resolver_match.url_name if request.resolver_match else ""
    return [Tab(label, reverse(name), is_here=name == here) for name, label in names.items()]


@dataclass(frozen=True)
class OwnSessions:
    """One page of somebody's sessions, the last used first. ``here`` is the handle of this one."""

    page: Page[Any]
    here: UUID | None
    n_tokens: int
    zone: tzinfo

    @property
    def sessions(self) -> Sequence[Session]:
        return list(self.page.object_list)

    @property
    def has_others(self) -> bool:
        return self.page.paginator.count > 1 or self.n_tokens > 0


def own_sessions(request: HttpRequest, user: User) -> OwnSessions:
    rows = Session.objects.of(user).open().order_by("-seen_at", "pk").defer("session_data")
    here = Session.objects.filter(pk=request.session.session_key).values_list("handle", flat=True).first()
    return OwnSessions(
        page=Paginator(rows, PAGE_LENGTH).get_page(request.GET.get("page")),
        here=here,
        n_tokens=standing_tokens(user).count(),
        zone=viewer_timezone(request, user) or timezone.get_default_timezone(),
    )
