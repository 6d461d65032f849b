"""``/healthz`` and ``/readyz``, for whatever starts, stops and balances this process.

``/healthz`` says that the process answers; it looks at nothing else. ``/readyz`` is 503 while the
database does not answer or lacks migrations. It is 200 and ``degraded`` while viewers are served, but
not as well as they should be.
"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core.json import encode
from apps.monitoring.readiness import readiness


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    found = readiness()
    checks = {part.name: {"status": part.state, "detail": part.says, **part.facts} for part in found.parts}
    return HttpResponse(
        encode({"status": found.status, "checks": checks}),
        status=503 if found.status == "unavailable" else 200,
        content_type="application/json",
    )
