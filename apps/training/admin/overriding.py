"""Letting a refused version serve: a page that shows its checks, asks for a reason and does it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse

from apps.core.admin.asking import ReasonForm, add_refusal
from apps.core.admin.links import row_url
from apps.core.errors import ApplicationError
from apps.training.gate import read_checks
from apps.training.models import ModelVersion
from apps.training.services import override_refusal

OVERRIDE = "training.override_gate"


def may_override(request: HttpRequest, version: ModelVersion) -> bool:
    is_refused = version.status == ModelVersion.Status.REFUSED and version.artifact
    return bool(is_refused and request.user.has_perm(OVERRIDE))


def override_view(table: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    """A refusal by the service is said on the page."""
    if not request.user.has_perm(OVERRIDE):
        raise PermissionDenied
    version = get_object_or_404(ModelVersion.objects.select_related("recipe"), pk=object_id)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and _override(form, version, request.user):
        said = f"Version {version.name} is now the live one of recipe {version.recipe.name!r}."
        messages.success(request, said)
        return redirect(row_url(ModelVersion, version.pk))
    context = {
        **table.admin_site.each_context(request),
        "opts": table.opts,
        "title": f"Let version {version.name} serve although it was refused?",
        "version": version,
        "checks": read_checks(version.checks),
        "form": form,
        "back": row_url(ModelVersion, version.pk),
    }
    request.current_app = table.admin_site.name
    status = 400 if form.errors else 200
    return TemplateResponse(request, "training/override.html", context, status=status)


def _override(form: Any, version: ModelVersion, by: Any) -> bool:
    try:
        override_refusal(version=version, by=by, because=form.cleaned_data["reason"])
    except ApplicationError as refusal:
        add_refusal(form, refusal)
        return False
    return True
