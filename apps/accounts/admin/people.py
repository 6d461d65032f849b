"""Who acts in the admin, and whom they may act on."""

from django.http import HttpRequest

from apps.accounts.models import User


def actor_of(request: HttpRequest) -> User:
    """Whoever is in the admin: it lets nobody else in."""
    if not isinstance(request.user, User):
        raise TypeError("the admin serves signed-in staff only")
    return request.user


def is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


def may_touch(request: HttpRequest, user: User | None) -> bool:
    """Staff who keep viewers' accounts must not get at colleagues' ones, whose rights they would gain."""
    return user is None or not (user.is_staff or user.is_superuser) or is_superuser(request)


def kind_of(user: User) -> str:
    """What a row of people is, in a word."""
    if user.merged_into_id is not None:
        return "merged guest"
    if user.is_imported:
        return "imported"
    if user.is_simulated:
        return "simulated"
    return "guest" if user.is_guest else "account"


def label_of_traffic(request: HttpRequest) -> list[str] | None:
    """Unfold's hook for a label on every page: whatever stands there is also of people who do not exist."""
    return ["Simulated traffic", "warning"] if User.objects.simulated().exists() else None


KIND_LABELS = {"account": "success", "guest": "info", "merged guest": "warning", "simulated": "warning"}
