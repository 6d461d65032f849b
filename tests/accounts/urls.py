"""Addresses of these tests: the API of accounts, the admin, and probes that show what a request is."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.acting import acting_user, acting_user_or_new_guest
from apps.accounts.models import User
from apps.accounts.permissions import Holds, Viewer, Visitor
from apps.accounts.services import authenticate_account, log_in, log_out
from apps.accounts.units import unit_of, viewer_timezone
from apps.core.address import client_address
from apps.core.api.urls import api_path


def page(request: HttpRequest) -> HttpResponse:
    zone = viewer_timezone(request, request.user)
    return HttpResponse(f"{request.unit.key} {request.unit.counted} {zone and zone.key}")


def log_in_page(request: HttpRequest) -> HttpResponse:
    user = authenticate_account(
        username=request.POST["username"],
        password=request.POST["password"],
        address=client_address(request),
    )
    log_in(request, user)
    return HttpResponse("in")


def log_out_page(request: HttpRequest) -> HttpResponse:
    log_out(request)
    return HttpResponse("out")


def feedback_page(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"user_id": acting_user_or_new_guest(request, None).pk})


def _shown(request: Request, user: User | None) -> Response:
    unit = unit_of(request._request)
    key = unit.key.hex if unit.key else None
    return Response({"user_id": user and user.pk, "unit": key, "counted": unit.counted})


class WhoView(APIView):
    """Whom a request acts for: GET reads, POST is feedback."""

    permission_classes = [Visitor]

    def get(self, request: Request) -> Response:
        given = request.query_params.get("user_id")
        return _shown(request, acting_user(request, int(given) if given else None))

    def post(self, request: Request) -> Response:
        return _shown(request, acting_user_or_new_guest(request, request.data.get("user_id")))


class UnstatedView(APIView):
    def get(self, request: Request) -> Response:
        return Response({})


class ViewerView(UnstatedView):
    permission_classes = [Viewer]


class KeeperView(UnstatedView):
    permission_classes = [Holds("catalog.change_movie", scope="catalog.write")]


class PeopleOnlyView(UnstatedView):
    permission_classes = [Holds("catalog.change_movie")]


urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("apps.accounts.urls")),
    path(
        "api/v1/",
        include(
            [
                api_path("who", WhoView),
                api_path("unstated", UnstatedView),
                api_path("viewers", ViewerView),
                api_path("keepers", KeeperView),
                api_path("people-only", PeopleOnlyView),
                api_path("films/<int:film_id>", UnstatedView),
            ]
        ),
    ),
    path("page/", page),
    path("login/", log_in_page, name="login"),
    path("logout/", log_out_page, name="logout"),
    path("feedback/", feedback_page),
]
