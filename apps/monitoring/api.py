"""``/metrics``, at the root of the site."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts.models import ApiKey
from apps.accounts.permissions import Holds
from apps.core.api.renderers import JSONRenderer
from apps.monitoring.metrics import exposition


class _OneFormat(BaseContentNegotiation):
    """Prometheus lists formats that it would like better; there is one. Refusals are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return JSONRenderer(), JSONRenderer.media_type


@extend_schema(exclude=True)
class MetricsView(APIView):
    permission_classes = [Holds("core.view_heartbeat", scope=ApiKey.Scope.METRICS_READ)]
    content_negotiation_class = _OneFormat

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
