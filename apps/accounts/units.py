"""The analysis unit of a request, and the guest behind its cookie.

A visitor is a random key in a signed cookie, long before there is a row. The row of the guest and
the account that claims it keep the key; the key alone enters assignment.
"""

import re
import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.translation.trans_real import parse_accept_lang_header

from apps.accounts.models import ApiKey, User
from apps.accounts.timezones import zone

UNIT_COOKIE = "unit"
TIMEZONE_COOKIE = "tz"
_SALT = "marquee.unit"
_YEAR_SECONDS = 365 * 24 * 3600
# "Cubot" is a maker of phones.
_BOT = re.compile(
    r"(?<!cu)bot\b|crawler|spider|slurp|archiver|facebookexternalhit|bingpreview|embedly|pingdom|"
    r"lighthouse|preview/|validator",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Unit:
    """``key`` is None for a first hit without cookie, HEAD, prefetch and known bots.

    What is shown to a unit that is not ``counted`` enters no experiment and no bandit.
    """

    key: uuid.UUID | None
    counted: bool


NO_UNIT = Unit(key=None, counted=False)


class Visit:
    """What the unit cookie of one request says, found out once and with one query at most."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self.new_key: uuid.UUID | None = None

    @cached_property
    def cookie_key(self) -> uuid.UUID | None:
        """The key of a cookie that we signed within the year. Anything else is no cookie."""
        value = self._request.get_signed_cookie(UNIT_COOKIE, default=None, salt=_SALT, max_age=_YEAR_SECONDS)
        try:
            return uuid.UUID(hex=value) if value else None
        except ValueError:
            return None

    @cached_property
    def guest(self) -> User | None:
        """The guest's row. The cookie never opens an account: a key that an account claimed is spent,
        and the browser gets a new one.
        """
        if self.cookie_key is None:
            return None
        owner = User.objects.filter(unit_key=self.cookie_key).first()
        if owner is None or owner.is_current_guest:
            return owner
        if self.new_key is None:
            self.new_key = uuid.uuid4()
        return None

    @property
    def unit(self) -> Unit:
        """The unit of a visitor who is not signed in."""
        if self.cookie_key is None:
            return NO_UNIT
        spent = self.guest is None and self.new_key is not None
        return Unit(key=self.new_key or self.cookie_key, counted=not spent)

    def become(self, guest: User) -> None:
        """From here on the request is this guest's, and the cookie names it."""
        self.guest = guest
        if guest.unit_key != self.cookie_key:
            self.keep(guest.unit_key)

    def keep(self, key: uuid.UUID) -> None:
        """The answer sets the cookie to ``key``."""
        self.new_key = key

    def renew(self) -> None:
        """Forgets the visitor: the answer sets a cookie that nobody has had."""
        self.guest = None
        self.new_key = uuid.uuid4()


def visit_of(request: HttpRequest) -> Visit:
    visit: Visit | None = getattr(request, "visit", None)
    if visit is None:
        visit = Visit(request)
        request.visit = visit  # type: ignore[attr-defined] # our own attribute
    return visit


def unit_of(request: HttpRequest) -> Unit:
    """The unit that this request is counted under; a signed-in user's is the user's own."""
    if request.method == "HEAD" or is_prefetch(request):
        return NO_UNIT
    user: User | AnonymousUser | None = getattr(request, "user", None)
    if isinstance(getattr(request, "auth", None), ApiKey):
        return NO_UNIT
    if user is not None and user.is_authenticated:
        return unit_of_user(user)
    return NO_UNIT if is_bot(request) else visit_of(request).unit


def unit_of_user(user: User) -> Unit:
    """The unit of a user who is acted for. Imported people are never counted."""
    return Unit(key=user.unit_key, counted=not user.is_imported)


def guest_of(request: HttpRequest) -> User | None:
    """The guest whose signed cookie came with the request; None while there is no row."""
    return visit_of(request).guest


def is_prefetch(request: HttpRequest) -> bool:
    headers = (request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz"))
    return any("prefetch" in value.lower() or "prerender" in value.lower() for value in headers)


def is_bot(request: HttpRequest) -> bool:
    return _BOT.search(request.headers.get("User-Agent", "")) is not None


def set_unit_cookie(response: HttpResponse, key: uuid.UUID, *, secure: bool) -> None:
    response.set_signed_cookie(
        UNIT_COOKIE,
        key.hex,
        salt=_SALT,
        max_age=_YEAR_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=secure,
    )


def viewer_language(request: HttpRequest) -> str:
    """The language that the browser asks for first, without its region, such as ``en``; empty without one."""
    wishes = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    first = next((code for code, _ in wishes if code != "*"), "")
    return first.partition("-")[0]


def viewer_timezone(request: HttpRequest, user: Any) -> ZoneInfo | None:
    """The viewer's zone: the profile's, else that of the cookie set by script, else None."""
    profile = zone(user.timezone) if isinstance(user, User) else None
    return profile or zone(unquote(request.COOKIES.get(TIMEZONE_COOKIE, "")))
