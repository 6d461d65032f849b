"""The first ten films, for somebody new."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from apps.catalog.models import Movie
from apps.core.errors import ApplicationError
from apps.pages.redirects import next_path
from apps.pages.visitors import speaking_viewer, visitor_of
from apps.pages.welcome import group_named, group_of_target, welcome_of
from apps.ratings.services import record_preference
from apps.recommendations.starters import StarterGroup


@require_safe
def welcome(request: HttpRequest) -> HttpResponse:
    group = group_named(request.GET.get("group"))
    return render(request, "pages/welcome.html", {"welcome": welcome_of(visitor_of(request), group)})


@require_POST
def unseen(request: HttpRequest, movie_id: int) -> HttpResponse:
    """Not asked about again. It says nothing of taste, so lists may show it all the same."""
    if not Movie.objects.available().filter(pk=movie_id).exists():
        raise Http404(f"There is no film {movie_id}")
    try:
        viewer = speaking_viewer(request)
        record_preference(user_id=viewer.pk, movie_id=movie_id, kind="unseen", value=None, at=timezone.now())
    except ApplicationError as refusal:
        messages.error(request, refusal.detail)
    group = group_of_target(request.htmx.target if request.htmx else None)  # type: ignore[attr-defined] # its middleware sets it
    return welcome_part(request, group, is_rated=False) if group else redirect(next_path(request, "welcome"))


def welcome_part(request: HttpRequest, group: StarterGroup, *, is_rated: bool) -> HttpResponse:
    """What an exchange shows after an act; once the last film wanted is rated, the way home to the list."""
    welcome = welcome_of(visitor_of(request), group)
    if is_rated and welcome.is_just_done:
        return HttpResponseClientRedirect(reverse("home"))
    return render(request, "pages/welcome_swap.html", {"welcome": welcome})
