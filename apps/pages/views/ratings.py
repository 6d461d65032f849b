"""One's own ratings."""

from dataclasses import replace

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.pages.cards import cards_of_movies
from apps.pages.visitors import visitor_of
from apps.ratings.models import Rating

PAGE_LENGTH = 24


@require_safe
def ratings(request: HttpRequest) -> HttpResponse:
    viewer = visitor_of(request).viewer
    rows = Rating.objects.standing().filter(movie__is_available=True).order_by("-changed_at", "-pk")
    rows = rows.of(viewer.pk) if viewer else rows.none()
    page = Paginator(rows, PAGE_LENGTH).get_page(request.GET.get("page"))
    values = {rating.movie_id: rating.value for rating in page.object_list}
    plain = cards_of_movies(values)
    cards = [replace(plain[movie_id], rating=value) for movie_id, value in values.items()]
    return render(request, "pages/ratings.html", {"page": page, "cards": cards})
