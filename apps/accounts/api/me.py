"""``/me``: one's own profile, everything held, and the way out."""

from typing import Any

from django.contrib.auth import logout
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.acting import acting_user_or_new_guest, caller_of
from apps.accounts.api.serializers import ErasureInput, ProfileInput, ProfileOutput
from apps.accounts.models import User
from apps.accounts.permissions import Oneself
from apps.accounts.privacy import erase_user, export_user
from apps.accounts.services import confirm_password, update_profile
from apps.accounts.units import viewer_timezone, visit_of
from apps.core.api.bodies import validated_body
from apps.core.api.renderers import JSONRenderer
from apps.core.errors import InvalidInput, NotFound
from apps.core.json import encode

TAGS = ["me"]


class MeView(APIView):
    permission_classes = [Oneself]

    @extend_schema(responses=ProfileOutput, tags=TAGS)
    def get(self, request: Request) -> Response:
        """Who the credential or the cookie says you are."""
        return Response(_profile(request, caller_of(request)))

    @extend_schema(request=ProfileInput, responses={200: ProfileOutput}, tags=TAGS)
    def patch(self, request: Request) -> Response:
        """Change the time zone; or, with the password, the email address."""
        body = validated_body(request, ProfileInput)
        password = body.pop("password", None)
        user = acting_user_or_new_guest(request, None)
        if "email" in body and user.has_account:
            # Whoever has the address can reset the password, so a borrowed session is not enough.
            _confirm(user, password, "Changing the email address needs your password")
        return Response(_profile(request, update_profile(user=user, **body)))

    @extend_schema(request=ErasureInput, responses={204: None}, tags=TAGS)
    def delete(self, request: Request) -> Response:
        """Erase everything held about you. There is no way back."""
        body = validated_body(request, ErasureInput)
        user = caller_of(request)
        if user is not None:
            if user.has_account:
                _confirm(user, body.get("password"), "Erasing an account needs its password")
            erase_user(user, by=user)
            logout(request._request)
        visit_of(request._request).renew()
        return Response(status=204)


class ZipRenderer(BaseRenderer):
    """Lets a client ask for a zip by name; a refusal is JSON all the same."""

    media_type = "application/zip"
    format = "zip"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return encode(data)


class ExportView(APIView):
    permission_classes = [Oneself]
    renderer_classes = [JSONRenderer, ZipRenderer]

    @extend_schema(
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
        tags=TAGS,
    )
    def get(self, request: Request) -> HttpResponse:
        """Everything held about you, as a zip of JSON and CSV files."""
        user = caller_of(request)
        if user is None:
            raise NotFound("Nothing is held about you yet")
        return HttpResponse(
            export_user(user),
            content_type="application/zip",
            headers={"Content-Disposition": 'attachment; filename="marquee-export.zip"'},
        )


def _confirm(user: User, password: str | None, sentence: str) -> None:
    if password is None:
        raise InvalidInput.of("/password", sentence)
    confirm_password(user=user, password=password)


def _profile(request: Request, user: User | None) -> dict[str, Any]:
    zone = viewer_timezone(request._request, user)
    person = user or User(is_guest=True)
    return {
        "id": person.pk,
        "username": person.username,
        "email": person.email,
        "is_guest": person.is_guest,
        "is_staff": person.is_staff,
        "timezone": zone.key if zone else None,
        "date_joined": person.date_joined if user else None,
    }
