"""Acts that need a reason: a page that names the rows and asks for it, then the act."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse

from apps.core.admin.links import list_url
from apps.core.errors import ApplicationError

# Each row travels as a field of the form, of which a request may have a thousand.
MOST_ROWS = 500
MAX_REASON = 500


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=MAX_REASON,
        label="Reason",
        help_text="It goes into the audit.",
        widget=forms.Textarea({"rows": 2}),
    )


def add_refusal(form: forms.Form, refusal: ApplicationError) -> None:
    """Puts each sentence of a service's refusal beside the field that its pointer begins with."""
    for error in refusal.errors:
        name = error.pointer.strip("/").split("/")[0]
        form.add_error(name if name in form.fields else None, error.detail)
    if not refusal.errors:
        form.add_error(None, refusal.detail)


@dataclass(frozen=True)
class Act:
    """What is done to each of the rows: ``run`` takes a row and the reason.

    ``title`` and ``button`` are the page's; ``done`` comes before the number of rows, as in
    "Films hidden: 3", and with it a button for ``undo``, the table's action that does the opposite.
    """

    title: str
    button: str
    done: str
    run: Callable[[Any, str], object]
    undo: str = ""


def act_with_reason(
    table: Any, request: HttpRequest, queryset: QuerySet[Any], act: Act
) -> HttpResponse | None:
    """For an action on rows: the page that asks, until it was answered."""
    rows = list(queryset[: MOST_ROWS + 1])
    if len(rows) > MOST_ROWS:
        messages.error(request, f"Choose at most {MOST_ROWS} rows at a time.")
        return None
    if not rows:
        messages.info(request, "There is nothing to change about what was chosen.")
        return None
    form = ReasonForm(request.POST if "reason" in request.POST else None)
    if not form.is_valid():
        return _page(table, request, rows, act, form)
    reason = form.cleaned_data["reason"]
    done = []
    for row in rows:
        try:
            act.run(row, reason)
        except ApplicationError as refusal:
            messages.error(request, refusal.detail)
        else:
            done.append(row)
    if done:
        messages.success(request, _done(table, request, done, act, reason))
    return None


def _done(table: Any, request: HttpRequest, rows: list[Model], act: Act, reason: str) -> str:
    """What was done, and the button that undoes it: to the whole table, for a filter may now leave out
    the rows.
    """
    undoing = {"action": act.undo, "checkbox": ACTION_CHECKBOX_NAME, "reason": f"Undone: {reason}"}
    context = {"act": act, "rows": rows, "url": list_url(table.model), "undo": act.undo and undoing}
    return render_to_string("core/act_done.html", context, request=request)


def _page(
    table: Any, request: HttpRequest, rows: list[Model], act: Act, form: ReasonForm
) -> TemplateResponse:
    context = {
        **table.admin_site.each_context(request),
        "opts": table.opts,
        "title": act.title,
        "act": act,
        "form": form,
        "rows": rows,
        "action": request.POST.get("action", ""),
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    request.current_app = table.admin_site.name
    return TemplateResponse(request, "core/act_with_reason.html", context)
