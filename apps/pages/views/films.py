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
from apps.experiments.policy import current_policy
from apps.pages.cards import card_target, cards_of_movies, with_own_stars
from apps.pages.films import film_page, own_panel
from apps.pages.forms import FeedbackForm
from apps.pages.gems import TARGET as GEMS
from apps.pages.home import home_of
from apps.pages.my_films import line_after, list_of_target
from apps.pages.posters import design_poster
from apps.pages.redirects import next_path
from apps.pages.surprise import is_target as is_surprise
from apps.pages.undoing import Undo, depends_on_before, undo_of
from apps.pages.views.lists import gems_part, surprise_part
from apps.pages.views.welcome import welcome_part
from apps.pages.visitors import own_event_id, speaking_viewer, visitor_of
from apps.pages.welcome import group_of_target
from apps.pages.wording import sentence_of
from apps.recommendations.services import FeedbackRequest, give_feedback
from apps.training.triggers import learn

logger = logging.getLogger(__name__)
POSTER_SECONDS = 24 * 3600
RATINGS = frozenset({Kind.RATE, Kind.UNRATE})


@require_safe
def film(request: HttpRequest, movie_id: int) -> HttpResponse:
    event_id = own_event_id(request, event_id=_event_parameter(request), movie_id=movie_id)
    if event_id is not None:
        _record_view(request, event_id=event_id, movie_id=movie_id)
    try:
        page = film_page(visitor_of(request), movie_id, event_id)
    except NotFound as missing:
        survivor = Movie.objects.survivor_of(movie_id)
        if survivor is not None:
            return redirect("film", survivor, permanent=True)
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
    undo = _say(request, movie, form)
    target = request.htmx.target if request.htmx else None  # type: ignore[attr-defined] # its middleware sets it
    if own_list := list_of_target(target):
        line = line_after(visitor_of(request), own_list, movie, undo)
        return render(request, "pages/my_film_swap.html", {"line": line})
    part = _part_after(request, target or "", movie, form)
    return part or redirect(next_path(request, reverse("film", args=[movie_id])))


@require_safe
@cache_control(public=True, max_age=POSTER_SECONDS)
def poster(request: HttpRequest, movie_id: int) -> HttpResponse:
    """A drawn poster, which shows the film's title: a hidden film has none."""
    movie = Movie.objects.available().with_card().filter(pk=movie_id).first()
    if movie is None:
        raise Http404(f"There is no film {movie_id}")
    design = design_poster(movie_id=movie.pk, title=movie.title, year=movie.year, genres=movie.genre_names)
    return HttpResponse(
        render_to_string("posters/poster.svg", {"poster": design}), content_type="image/svg+xml"
    )


def _part_after(request: HttpRequest, target: str, movie: Movie, form: FeedbackForm) -> HttpResponse | None:
    """The part of a page that an exchange is for, as it is after the act; None for a target of no page."""
    if target == "rows":
        return render(request, "pages/home_swap.html", {"home": home_of(visitor_of(request))})
    if target == GEMS:
        return gems_part(request)
    if is_surprise(target):
        return surprise_part(request, target)
    if target == "own":
        panel = own_panel(visitor_of(request), movie, form.cleaned_data.get("event_id"))
        return render(request, "pages/film_swap.html", {"panel": panel})
    if group := group_of_target(target):
        return welcome_part(request, group, is_rated=form.cleaned_data.get("kind") == Kind.RATE)
    if target == card_target(movie.pk):
        cards = with_own_stars(visitor_of(request).viewer, cards_of_movies([movie.pk]))
        return render(request, "pages/card_swap.html", {"card": cards[movie.pk]})
    return None


def _say(request: HttpRequest, movie: Movie, form: FeedbackForm) -> Undo | None:
    """Records the act; the message says what came of it, and carries what would take it back."""
    if not form.is_valid():
        messages.error(request, form.first_error)
        return None
    said = form.cleaned_data
    kind = Kind(said["kind"])
    try:
        viewer = speaking_viewer(request)
        event_id = own_event_id(request, event_id=said["event_id"], movie_id=movie.pk)
        undo = undo_of(viewer, movie_id=movie.pk, kind=kind, event_id=event_id)
        given = give_feedback(
            FeedbackRequest(
                viewer=viewer,
                movie_id=movie.pk,
                kind=kind,
                value=said["value"],
                event_id=event_id,
                client_id=form.act_id,
            )
        )
    except ApplicationError as refusal:
        messages.error(request, refusal.detail)
        return None
    if kind in RATINGS and given.changed:
        learn(current_policy().recipe)
    if not given.is_new and depends_on_before(kind):
        undo = None  # of a click that came twice, the second has not seen the state before
    sentence = sentence_of(movie, kind, said["value"])
    messages.success(request, sentence, extra_tags=undo.tags if undo else "")
    return undo


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
