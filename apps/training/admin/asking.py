"""The page of an act that needs a reason: what it does, and the form that asks."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.template.response import TemplateResponse


def asking_page(
    table: Any, request: HttpRequest, form: forms.Form, *, title: str, button: str, about: str, back: str
) -> TemplateResponse:
    """400 with the form's errors; ``back`` is where *Leave it* leads."""
    context = {
        **table.admin_site.each_context(request),
        "opts": table.opts,
        "title": title,
        "button": button,
        "about": about,
        "form": form,
        "back": back,
    }
    request.current_app = table.admin_site.name
    status = 400 if form.errors else 200
    return TemplateResponse(request, "training/act.html", context, status=status)
