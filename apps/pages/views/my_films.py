"""One's own films."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.pages.forms import SearchForm
from apps.pages.my_films import OWN_LISTS, RATED, my_films
from apps.pages.visitors import visitor_of


@require_safe
def my_list(request: HttpRequest, slug: str = RATED.slug) -> HttpResponse:
    own_list = OWN_LISTS.get(slug)
    if own_list is None:
        raise Http404(f"There is no list {slug!r}")
    text = SearchForm(request.GET).text
    mine = my_films(visitor_of(request), own_list, text=text, number=request.GET.get("page"))
    return render(request, "pages/my_films.html", {"mine": mine})


@require_safe
def ratings(request: HttpRequest) -> HttpResponse:
    """Where the rated films stood before the other lists came beside them."""
    query = request.META.get("QUERY_STRING", "")
    return redirect(f"{reverse('my-films')}{'?' if query else ''}{query}", permanent=True)
