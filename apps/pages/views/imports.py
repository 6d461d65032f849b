"""Bringing one's ratings from elsewhere: send a file, look at it, apply it, undo it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.acting import caller_of
from apps.accounts.models import User
from apps.core.address import client_address
from apps.core.errors import ApplicationError, NotFound
from apps.pages.import_forms import RuleForm, UploadForm
from apps.pages.imports import GUIDES, import_page, past_imports, sentence_of_import, sentence_of_undoing
from apps.pages.views.accounts import FormPage
from apps.pages.visitors import enforce_writes, speaking_viewer
from apps.ratings.imports.applying import apply_import
from apps.ratings.imports.own import own_import, unmatched_csv
from apps.ratings.imports.previewing import preview_import
from apps.ratings.imports.undoing import undo_import
from apps.ratings.models import Import

ImportView = Callable[[HttpRequest, User, int], HttpResponse]


@method_decorator(never_cache, name="dispatch")
class UploadView(FormPage):
    """The form, where to find a file, and what was imported before."""

    template_name = "imports/upload.html"
    form_class = UploadForm

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        past = past_imports(self.request, caller_of(self.request))
        return super().get_context_data(**context) | {"guides": GUIDES, "past": past}

    def accept(self, values: dict[str, Any]) -> HttpResponse:
        file = values["file"]
        viewer, address = speaking_viewer(self.request), client_address(self.request)
        made = preview_import(user=viewer, name=file.name, file=file, address=address)
        return redirect("import-preview", made.pk)


def _of_viewer(view: ImportView) -> Callable[[HttpRequest, int], HttpResponse]:
    """What is refused, or is not theirs, sends the viewer back to where they can go on."""

    @wraps(view)
    def guarded(request: HttpRequest, import_id: int) -> HttpResponse:
        viewer = caller_of(request)
        try:
            if viewer is None:
                raise NotFound(f"There is no import {import_id} of yours")
            return view(request, viewer, import_id)
        except NotFound as missing:
            messages.error(request, missing.detail)
            return redirect("import")
        except ApplicationError as refusal:
            messages.error(request, refusal.detail)
            return redirect("import-preview", import_id)

    return guarded


@require_safe
@never_cache
@_of_viewer
def preview(request: HttpRequest, viewer: User, import_id: int) -> HttpResponse:
    one = own_import(viewer, import_id)
    return render(
        request, "imports/preview.html", {"own": import_page(request, viewer, one, Import.Rule.NEWER)}
    )


@require_POST
@_of_viewer
def apply(request: HttpRequest, viewer: User, import_id: int) -> HttpResponse:
    form = RuleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose what counts where you and the file differ.")
        return redirect("import-preview", import_id)
    enforce_writes(request, viewer)
    one = apply_import(user=viewer, import_id=import_id, rule=form.cleaned_data["rule"])
    messages.success(request, sentence_of_import(one))
    return redirect("import-preview", one.pk)


@require_POST
@_of_viewer
def undo(request: HttpRequest, viewer: User, import_id: int) -> HttpResponse:
    enforce_writes(request, viewer)
    one = undo_import(user=viewer, import_id=import_id)
    messages.success(request, sentence_of_undoing(one))
    return redirect("import-preview", one.pk)


@require_safe
@never_cache
@_of_viewer
def unmatched(request: HttpRequest, viewer: User, import_id: int) -> HttpResponse:
    """The rows whose film was not found, for a spreadsheet."""
    lines = unmatched_csv(own_import(viewer, import_id))
    return HttpResponse(
        "".join(lines),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="unmatched.csv"'},
    )
