"""Home, and what the site is."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from apps.pages.errors import API
from apps.pages.home import home_of
from apps.pages.visitors import visitor_of

ROBOTS_SECONDS = 24 * 3600
# What begins with one of these is for one viewer, for staff or for programs.
NOT_FOR_CRAWLERS = (
    "admin:index",
    "login",
    "logout",
    "sign-up",
    "password-reset",
    "my-films",
    "settings",
    "welcome",
    "surprise",
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/home.html", {"home": home_of(visitor_of(request))})


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/about.html", {"shows_tmdb": bool(settings.TMDB_IMAGE_URL)})


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it where a page names no icon, as the admin's do."""
    return redirect(static("img/favicon.svg"), permanent=True)


@require_safe
@cache_control(public=True, max_age=ROBOTS_SECONDS)
def robots(request: HttpRequest) -> HttpResponse:
    """Crawlers may read the films, and nothing else."""
    closed = [API, *(reverse(name) for name in NOT_FOR_CRAWLERS)]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain")
