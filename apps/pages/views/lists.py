"""Pages of one list each: hidden gems, and surprises."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.pages.forms import SurpriseForm
from apps.pages.gems import gems_of
from apps.pages.surprise import after_of_target, surprise_of
from apps.pages.visitors import visitor_of


@require_safe
def gems(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/gems.html", {"gems": gems_of(visitor_of(request))})


@require_safe
def surprise(request: HttpRequest) -> HttpResponse:
    form = SurpriseForm(request.GET)
    if not form.is_valid():
        refusal = {"said": form.first_error, "again": request.path}
        return render(request, "errors/400.html", refusal, status=400)
    surprise = surprise_of(visitor_of(request), form.after_id)
    return render(request, "pages/surprise.html", {"surprise": surprise})


def gems_part(request: HttpRequest) -> HttpResponse:
    """What an exchange shows after an act."""
    return render(request, "pages/gems_swap.html", {"gems": gems_of(visitor_of(request))})


def surprise_part(request: HttpRequest, target: str) -> HttpResponse:
    form = SurpriseForm({"after": after_of_target(target)})
    surprise = surprise_of(visitor_of(request), form.after_id)
    return render(request, "pages/surprise_swap.html", {"surprise": surprise})
