"""Home, search, and what the site is."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from apps.catalog.models import Movie
from apps.pages.cards import cards_of_movies
from apps.pages.forms import SearchForm
from apps.pages.home import home_of
from apps.pages.visitors import visitor_of

PAGE_LENGTH = 24


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/home.html", {"home": home_of(visitor_of(request))})


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    text = SearchForm(request.GET).text
    found = Movie.objects.available().popular().search(text).values_list("pk", flat=True)
    page = Paginator(found, PAGE_LENGTH).get_page(request.GET.get("page"))
    movie_ids = list(page.object_list)
    cards = cards_of_movies(movie_ids)
    context = {
        "text": text,
        "query": f"{urlencode({'q': text})}&" if text else "",
        "page": page,
        "cards": [cards[movie_id] for movie_id in movie_ids],
    }
    return render(request, "pages/search.html", context)


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/about.html")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it where a page names no icon, as the admin's do."""
    return redirect(static("img/favicon.svg"), permanent=True)
