"""The pages of a version in the admin, and their tables as CSV. Each is for who may view policies."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_safe

from apps.bandits.admin.activity import SHEETS, ActivityPage, activity_page
from apps.bandits.admin.beginning import begin_view
from apps.bandits.admin.contexts import ContextForm, FilterForm, context_page, usual_context
from apps.bandits.admin.freezing import freeze_view
from apps.bandits.admin.navigation import navigation, page_url
from apps.bandits.admin.verdicts import verdict_page
from apps.bandits.heat import COLUMNS, arms_sheet, heat_map, table_rows
from apps.bandits.models import BanditPolicy
from apps.core import converters  # noqa: F401 - makes <id:…> known
from apps.core.admin import ReadOnlyAdmin
from apps.core.admin.sheets import csv_file

DAYS = (7, 30, 90)


class PolicyPages(ReadOnlyAdmin):
    """What a version believes, did and is judged by."""

    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, Any, str]] = [
            ("beliefs/", self.beliefs_view, "beliefs"),
            ("beliefs.csv", self.beliefs_csv, "csv"),
            ("beliefs/arms.csv", self.arms_csv, "arms_csv"),
            ("context/", self.context_view, "context"),
            ("context/arms.csv", self.context_csv, "context_csv"),
            ("activity/", self.activity_view, "activity"),
            *((f"activity/{name}.csv", self._activity_csv(name), f"activity_{name}_csv") for name in SHEETS),
            ("off-policy/", self.off_policy_view, "off_policy"),
            ("off-policy/policies.csv", self.off_policy_csv, "off_policy_csv"),
        ]
        safe = [(route, require_safe(view), name) for route, view, name in pages]
        wrap, act = self.admin_site.admin_view, require_http_methods(["GET", "HEAD", "POST"])
        acts = [
            ("begin/", act(self.begin_view), "begin"),
            ("freeze/", act(self.freeze_view), "freeze"),
        ]
        own = [
            path(f"<id:object_id>/{route}", wrap(view), name=f"bandits_banditpolicy_{name}")
            for route, view, name in (*safe, *acts)
        ]
        return [*own, *super().get_urls()]

    # --- What it believes ------------------------------------------------------------------------

    def beliefs_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Contexts and arms, and what is believed of each pair; of all contexts, or those asked for."""
        policy = self._seen(request, object_id)
        form = FilterForm(request.GET)
        parts = form.parts if form.is_valid() else {}
        found = heat_map(policy.version, parts)
        return self.page(
            request,
            policy,
            "beliefs",
            status=200 if form.is_valid() else 400,
            title=f"What version {policy.version} of the bandit believes",
            form=form,
            parts=parts,
            arms=found.arms,
            rows=found.rows,
            is_empty=not any(arm.shown for arm in found.arms),
            sheet=arms_sheet(found, page_url("arms_csv", policy)),
            csv_url=page_url("csv", policy) + (f"?{urlencode(parts)}" if parts else ""),
            beliefs_url=page_url("beliefs", policy),
            context_url=page_url("context", policy),
        )

    def beliefs_csv(self, request: HttpRequest, object_id: int) -> StreamingHttpResponse:
        policy = self._seen(request, object_id)
        form = FilterForm(request.GET)
        if not form.is_valid():
            raise Http404("There are no such contexts")
        return csv_file(f"bandit-{policy.version}", COLUMNS, table_rows(policy.version, form.parts))

    def arms_csv(self, request: HttpRequest, object_id: int) -> StreamingHttpResponse:
        policy = self._seen(request, object_id)
        return arms_sheet(heat_map(policy.version), "").as_csv(f"bandit-{policy.version}-beliefs-arms")

    # --- One context -----------------------------------------------------------------------------

    def context_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The belief of each arm in the context asked for; in the usual one when none is."""
        policy = self._seen(request, object_id)
        form = self._context_form(request, policy)
        found = None
        if form.is_valid():
            url = f"{page_url('context_csv', policy)}?{urlencode(form.context.as_dict())}"
            found = context_page(policy.version, form.context, url)
        title = f"What version {policy.version} of the bandit believes in one context"
        status = 200 if found else 400
        return self.page(request, policy, "context", status=status, title=title, form=form, found=found)

    def context_csv(self, request: HttpRequest, object_id: int) -> StreamingHttpResponse:
        policy = self._seen(request, object_id)
        form = self._context_form(request, policy)
        if not form.is_valid():
            raise Http404("There is no such context")
        found = context_page(policy.version, form.context, "")
        return found.sheet.as_csv(f"bandit-{policy.version}-context-{form.context.index}")

    def _context_form(self, request: HttpRequest, policy: BanditPolicy) -> ContextForm:
        return ContextForm(request.GET or usual_context(policy.version).as_dict())

    # --- What it did -----------------------------------------------------------------------------

    def activity_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        policy = self._seen(request, object_id)
        days, refused = _days(request, default=7)
        return self.page(
            request,
            policy,
            "activity",
            status=400 if refused else 200,
            title=f"What version {policy.version} of the bandit did",
            days=days,
            days_refused=refused,
            choices=DAYS,
            found=_activity(policy, days),
        )

    def _activity_csv(self, name: str) -> Callable[[HttpRequest, int], StreamingHttpResponse]:
        def view(request: HttpRequest, object_id: int) -> StreamingHttpResponse:
            policy = self._seen(request, object_id)
            days = _days_of_csv(request, default=7)
            return _activity(policy, days).sheets[name].as_csv(f"bandit-{policy.version}-{name}-{days}-days")

        return view

    # --- What others would have earned -----------------------------------------------------------

    def off_policy_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        policy = self._seen(request, object_id)
        days, refused = _days(request, default=30)
        url = f"{page_url('off_policy_csv', policy)}?days={days}"
        return self.page(
            request,
            policy,
            "off_policy",
            status=400 if refused else 200,
            title=f"What others would have earned in place of version {policy.version}",
            days=days,
            days_refused=refused,
            choices=DAYS,
            found=verdict_page(policy, days, url),
        )

    def off_policy_csv(self, request: HttpRequest, object_id: int) -> StreamingHttpResponse:
        policy = self._seen(request, object_id)
        found = verdict_page(policy, _days_of_csv(request, default=30), "")
        return found.sheet.as_csv(f"bandit-{policy.version}-off-policy")

    # --- Acts ------------------------------------------------------------------------------------

    def begin_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return begin_view(self, request, object_id)

    def freeze_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return freeze_view(self, request, object_id)

    # --- What the pages share --------------------------------------------------------------------

    def page(
        self, request: HttpRequest, policy: BanditPolicy, name: str, *, status: int = 200, **context: Any
    ) -> TemplateResponse:
        request.current_app = self.admin_site.name
        newest = BanditPolicy.objects.newest_of(policy.arms).get()
        shared = {
            "opts": self.opts,
            "policy": policy,
            "successor": newest if newest != policy else None,
            "explore": f"{policy.explore:.0%}",
            "max_share": f"{policy.max_share:.0%}",
            "navigation": navigation(request, policy, name),
        }
        return TemplateResponse(
            request,
            f"bandits/{name}.html",
            {**self.admin_site.each_context(request), **shared, **context},
            status=status,
        )

    def _seen(self, request: HttpRequest, object_id: int) -> BanditPolicy:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(BanditPolicy, pk=object_id)


def _activity(policy: BanditPolicy, days: int) -> ActivityPage:
    urls = {name: f"{page_url(f'activity_{name}_csv', policy)}?days={days}" for name in SHEETS}
    return activity_page(policy, days, urls)


def _days(request: HttpRequest, *, default: int) -> tuple[int, str]:
    """One of ``DAYS``, the default where none is asked for; and the sentence that refuses another."""
    asked = request.GET.get("days", str(default))
    found = next((days for days in DAYS if str(days) == asked), None)
    if found is not None:
        return found, ""
    return default, f"Days are {', '.join(map(str, DAYS[:-1]))} or {DAYS[-1]}. Shown are {default}."


def _days_of_csv(request: HttpRequest, *, default: int) -> int:
    days, refused = _days(request, default=default)
    if refused:
        raise BadRequest(refused)
    return days
