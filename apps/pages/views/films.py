"""A film's page, what is said on it, and its poster."""

import logging

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from apps.catalog.models import Movie
from apps.core.errors import ApplicationError, NotFound
from apps.events.models import Kind
from apps.pages.films import film_page, own_panel
from apps.pages.forms import FeedbackForm
from apps.pages.home import home_of
from apps.pages.posters import design_poster
from apps.pages.redirects import next_path
from apps.pages.visitors import own_event_id, speaking_viewer, visitor_of
from apps.pages.wording import sentence_of
from apps.recommendations.services import FeedbackRequest, give_feedback

logger = logging.getLogger(__name__)
POSTER_SECONDS = 24 * 3600


@require_safe
def film(request: HttpRequest, movie_id: int) -> HttpResponse:
    event_id = own_event_id(request, event_id=_event_parameter(request), movie_id=movie_id)
    if event_id is not None:
        _record_view(request, event_id=event_id, movie_id=movie_id)
    try:
        page = film_page(visitor_of(request), movie_id, event_id)
    except NotFound as missing:
        raise Http404(missing.detail) from None
    return render(request, "pages/film.html", {"page": page, "movie": page.movie})


@require_POST
def feedback(request: HttpRequest, movie_id: int) -> HttpResponse:
    """One act by a plain form, or by htmx, which gets the part of the page that changed."""
    movie = Movie.objects.available().with_card().filter(pk=movie_id).first()
    if movie is None:
        raise Http404(f"There is no film {movie_id}")
    form = FeedbackForm(request.POST)
    if not form.is_valid() and set(form.errors) - {"value"}:
        raise BadRequest(form.first_error)
    _say(request, movie, form)
    target = request.htmx.target if request.htmx else None  # type: ignore[attr-defined] # its middleware sets it
    if target == "rows":
        return render(request, "pages/home_swap.html", {"home": home_of(visitor_of(request))})
    if target == "own":
        panel = own_panel(visitor_of(request), movie, form.cleaned_data.get("event_id"))
        return render(request, "pages/film_swap.html", {"panel": panel})
    return redirect(next_path(request, reverse("film", args=[movie_id])))


@require_safe
@cache_control(public=True, max_age=POSTER_SECONDS)
def poster(request: HttpRequest, movie_id: int) -> HttpResponse:
    """A drawn poster, also of a hidden film: its title was shown before."""
    movie = Movie.objects.with_card().filter(pk=movie_id).first()
    if movie is None:
        raise Http404(f"There is no film {movie_id}")
    design = design_poster(movie_id=movie.pk, title=movie.title, year=movie.year, genres=movie.genre_names)
    return HttpResponse(
        render_to_string("posters/poster.svg", {"poster": design}), content_type="image/svg+xml"
    )


def _say(request: HttpRequest, movie: Movie, form: FeedbackForm) -> None:
    """Records the act; the message says what came of it."""
    if not form.is_valid():
        messages.error(request, form.first_error)
        return
    said = form.cleaned_data
    try:
        viewer = speaking_viewer(request)
        event_id = own_event_id(request, event_id=said["event_id"], movie_id=movie.pk)
        give_feedback(
            FeedbackRequest(
                viewer=viewer,
                movie_id=movie.pk,
                kind=Kind(said["kind"]),
                value=said["value"],
                event_id=event_id,
                client_id=form.act_id,
            )
        )
    except ApplicationError as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, sentence_of(movie, Kind(said["kind"]), said["value"]))


def _event_parameter(request: HttpRequest) -> int | None:
    text = request.GET.get("e", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _record_view(request: HttpRequest, *, event_id: int, movie_id: int) -> None:
    """The click on a film of a list, once for each impression. The page comes up whatever this does."""
    try:
        give_feedback(
            FeedbackRequest(
                viewer=speaking_viewer(request),
                movie_id=movie_id,
                kind=Kind.VIEW,
                event_id=event_id,
                client_id=f"view:{event_id}",
            )
        )
    except ApplicationError as refusal:
        logger.info("view_not_recorded reason=%s", refusal.code)
