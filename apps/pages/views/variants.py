"""A link of staff's that lets a browser see one variant of an experiment."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.accounts.units import unit_of
from apps.core.errors import ApplicationError
from apps.experiments.services import follow_link, read_token


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def variant_link(request: HttpRequest, token: str) -> HttpResponse:
    """Asks; whoever says yes sees the variant from then on, and is not counted."""
    try:
        said = read_token(token)
        if request.method == "POST":
            unit = unit_of(request)
            if unit.key is not None:
                row = follow_link(token=token, unit_key=unit.key)
                said_so = f"You see “{row.variant}” of {row.experiment} now, and are not counted."
                messages.success(request, said_so)
                return redirect("home")
    except ApplicationError as refusal:
        context = {"said": refusal.detail, "again": "/"}
        return render(request, "errors/400.html", context, status=400)
    return render(request, "pages/variant.html", {"variant": said["variant"], "experiment": said["key"]})
