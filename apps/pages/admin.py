"""From a film in the admin to the page that viewers see."""

from django.http import HttpRequest
from django.urls import reverse

from apps.catalog.models import Movie
from apps.core.admin import Link, offer_links


def _page_of(request: HttpRequest, movie: Movie) -> Link | None:
    if not movie.is_available:
        return None
    return Link("Its page on the site", reverse("film", args=[movie.pk]), "open_in_new")


offer_links(Movie, _page_of)
