"""The admin's site: where its log-in leads."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.sites import UnfoldAdminSite


class StaffSite(UnfoldAdminSite):  # type: ignore[misc] # unfold ships no types
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Leads to where staff were going in the admin, else to its index: the site's home logs a list."""
        answer: HttpResponse = super().login(request, extra_context)
        index = reverse("admin:index")
        if answer.headers.get("Location", index).startswith(index):
            return answer
        return redirect(index)
