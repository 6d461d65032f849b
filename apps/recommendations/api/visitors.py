"""From a request of the API to the viewer and the unit that it is for."""

from zoneinfo import ZoneInfo

from rest_framework.request import Request

from apps.accounts.acting import acting_user, acting_user_or_new_guest, caller_of
from apps.accounts.models import ApiKey, User
from apps.accounts.timezones import zone
from apps.accounts.units import NO_UNIT, unit_of, unit_of_user, viewer_language, viewer_timezone
from apps.algorithms.registry import ARMS
from apps.core.errors import Conflict, Forbidden, InvalidInput
from apps.recommendations.audience import Audience
from apps.recommendations.drawing import strategy_of
from apps.recommendations.services.feedback import adopt_viewer
from apps.training.registry import engine

OPEN_ALGORITHMS = frozenset({"long_tail", "serendipity"})


def audience_of(request: Request, user_id: int | None, timezone: str | None = None) -> Audience:
    """``timezone`` is the query's, an IANA name; the profile's and the cookie's come before it."""
    viewer = acting_user(request, user_id)
    if viewer is not None and viewer != caller_of(request):
        unit = unit_of_user(viewer) if request.method != "HEAD" else NO_UNIT
    elif isinstance(request.user, User) and not request.user.is_guest:
        unit = unit_of_user(request.user) if request.method != "HEAD" else NO_UNIT
    else:
        unit = unit_of(request._request)
    zone_of_viewer = viewer_timezone(request._request, viewer) or _named_zone(timezone)
    return Audience(viewer, unit, zone_of_viewer, language=viewer_language(request._request))


def feedback_viewer(request: Request, user_id: int | None) -> User:
    """Who says something; a visitor without a row becomes a guest who owns what their unit was shown."""
    viewer = acting_user(request, user_id)
    if viewer is None:
        viewer = acting_user_or_new_guest(request, user_id)
        adopt_viewer(viewer)
    return viewer


def may_steer(request: Request) -> bool:
    """Whether the caller may ask for any algorithm: staff, programs, and who may act for users."""
    if isinstance(request.auth, ApiKey):
        return bool(request.auth.grants(ApiKey.Scope.ACT_FOR_USERS))
    return isinstance(request.user, User) and (
        request.user.is_staff or request.user.has_perm("accounts.act_for_users")
    )


def require_algorithm(request: Request, algorithm: str | None) -> None:
    if algorithm is None:
        return
    if algorithm not in ARMS:
        raise InvalidInput.of(
            "?algorithm", f"There is no algorithm {algorithm!r}; there are: {', '.join(ARMS)}"
        )
    if algorithm not in OPEN_ALGORITHMS and not may_steer(request):
        raise Forbidden("Only staff, and programs that act for users, may choose this algorithm")


def is_held(audience: Audience, algorithm: str) -> bool:
    """Whether the version that serves them has the arm; without a model none is missed."""
    active = engine(audience.assignment().recipe)
    return active is None or algorithm in active.arms


def require_held(audience: Audience, algorithm: str | None) -> None:
    """Raises ``Conflict`` for an arm that came after the version was fitted."""
    if algorithm is not None and not is_held(audience, algorithm):
        raise Conflict(
            f"The model that serves now was fitted without {algorithm!r}: leave algorithm out, or try again"
            " after the next training"
        )


def require_bandit_held(audience: Audience) -> None:
    """Raises ``Conflict`` where the version that serves them lacks arms of the bandit."""
    assignment = audience.assignment()
    active = engine(assignment.recipe)
    arms = strategy_of("bandit", assignment.strategy).arms
    lacking = [arm for arm in arms if active is not None and arm not in active.arms]
    if lacking:
        raise Conflict(
            f"The model that serves now was fitted without {', '.join(lacking)}: leave use_bandit out, or try"
            " again after the next training"
        )


def _named_zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    found = zone(name)
    if found is None:
        raise InvalidInput.of("?timezone", "timezone must be an IANA name such as Europe/Berlin")
    return found
