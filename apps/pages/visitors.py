"""Who looks at a page, and who says something on one."""

from django.http import HttpRequest

from apps.accounts.acting import acting_user_or_new_guest, caller_of
from apps.accounts.models import User
from apps.accounts.units import unit_of, viewer_language, viewer_timezone
from apps.core.address import client_address
from apps.core.rates import enforce
from apps.events.models import RecommendationEvent
from apps.recommendations.audience import Audience
from apps.recommendations.services.feedback import adopt_viewer


def visitor_of(request: HttpRequest) -> Audience:
    viewer = caller_of(request)
    zone = viewer_timezone(request, viewer)
    return Audience(viewer, unit_of(request), zone, language=viewer_language(request))


def speaking_viewer(request: HttpRequest) -> User:
    """Who says something; a visitor without a row becomes a guest who owns what they were shown."""
    viewer = caller_of(request)
    _enforce_address(request)
    if viewer is None:
        viewer = acting_user_or_new_guest(request, None)
        adopt_viewer(viewer)
    _enforce_viewer(viewer)
    return viewer


def enforce_writes(request: HttpRequest, viewer: User) -> None:
    """As ``speaking_viewer`` does, for somebody who has a row: ``TooMany`` for too many changes at once."""
    _enforce_address(request)
    _enforce_viewer(viewer)


def _enforce_address(request: HttpRequest) -> None:
    enforce("write_address", client_address(request), refusal="Too many changes at once from this address")


def _enforce_viewer(viewer: User) -> None:
    enforce("write", f"user:{viewer.pk}", refusal="Too many changes at once")


def own_event_id(request: HttpRequest, *, event_id: int | None, movie_id: int) -> int | None:
    """The impression that a link or form names if this visitor was shown that film by it, else None.

    Addresses are passed on and go stale, so an impression of somebody else is no error here.
    """
    unit = unit_of(request)
    if event_id is None or unit.key is None:
        return None
    shown = RecommendationEvent.objects.filter(pk=event_id, movie_id=movie_id, slate__unit_key=unit.key)
    return event_id if shown.exists() else None
