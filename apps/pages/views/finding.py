"""Finding films: by filters, and by a search."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.catalog.models import Movie
from apps.pages.browse import browse
from apps.pages.cards import cards_of_movies, with_own_stars
from apps.pages.forms import BrowseForm, SearchForm
from apps.pages.suggestions import suggestions_for
from apps.pages.visitors import visitor_of

PAGE_LENGTH = 24


@require_safe
def browse_films(request: HttpRequest) -> HttpResponse:
    form = BrowseForm(request.GET)
    viewer = visitor_of(request).viewer
    found = browse(viewer, form.wanted, ordering=form.ordering, number=request.GET.get("page"))
    return render(request, "pages/browse.html", {"found": found, "form": form})


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    text = SearchForm(request.GET).text
    found = Movie.objects.available().popular().search(text).values_list("pk", flat=True)
    page = Paginator(found, PAGE_LENGTH).get_page(request.GET.get("page"))
    movie_ids = list(page.object_list)
    cards = with_own_stars(visitor_of(request).viewer, cards_of_movies(movie_ids))
    context = {
        "text": text,
        "query": f"{urlencode({'q': text})}&" if text else "",
        "page": page,
        "cards": [cards[movie_id] for movie_id in movie_ids],
    }
    return render(request, "pages/search.html", context)


@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """What the search field shows while one types."""
    text = SearchForm(request.GET).text
    return render(request, "components/suggestions.html", {"text": text, "suggested": suggestions_for(text)})
