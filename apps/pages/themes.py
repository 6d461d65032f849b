"""Light or dark: what a browser was told to show, kept in a cookie of its own.

The server writes it into the page, so that the first paint is right without a script.
"""

from django.db.models import TextChoices
from django.http import HttpRequest, HttpResponse

THEME_COOKIE = "theme"
_YEAR_SECONDS = 365 * 24 * 3600


class Theme(TextChoices):
    SYSTEM = "system", "As the device says"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


def theme_of(request: HttpRequest) -> Theme:
    """What the cookie says; anything else in it is the device's own theme."""
    value = request.COOKIES.get(THEME_COOKIE, "")
    return Theme(value) if value in Theme.values else Theme.SYSTEM


def keep_theme(response: HttpResponse, theme: Theme, *, secure: bool) -> None:
    if theme is Theme.SYSTEM:
        response.delete_cookie(THEME_COOKIE, samesite="Lax")
        return
    response.set_cookie(
        THEME_COOKIE, theme.value, max_age=_YEAR_SECONDS, httponly=True, samesite="Lax", secure=secure
    )
