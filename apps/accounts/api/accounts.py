"""``/auth/register`` and ``/auth/password``."""

from dataclasses import asdict

from django.contrib.auth import update_session_auth_hash
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.acting import account_of, caller_of
from apps.accounts.api.serializers import (
    PasswordChangeInput,
    PasswordResetConfirmInput,
    PasswordResetInput,
    RegisteredOutput,
    RegisterInput,
    TokenPairOutput,
)
from apps.accounts.authentication import GuestAuthentication
from apps.accounts.permissions import Account, Visitor
from apps.accounts.services import (
    change_password,
    confirm_password_reset,
    register_account,
    request_password_reset,
)
from apps.accounts.tokens import issue_tokens
from apps.core.address import client_address
from apps.core.api.bodies import validated_body

TAGS = ["auth"]


class RegisterView(APIView):
    authentication_classes = [GuestAuthentication]
    permission_classes = [Visitor]

    @extend_schema(request=RegisterInput, responses={201: RegisteredOutput}, tags=TAGS)
    def post(self, request: Request) -> Response:
        """Sign up. The guest of the cookie becomes the account and keeps its history."""
        body = validated_body(request, RegisterInput)
        address = client_address(request._request)
        user = register_account(**body, guest=caller_of(request), address=address)
        tokens = asdict(issue_tokens(user))
        return Response({"id": user.pk, "username": user.username, **tokens}, status=201)


class PasswordChangeView(APIView):
    permission_classes = [Account]

    @extend_schema(request=PasswordChangeInput, responses={200: TokenPairOutput}, tags=TAGS)
    def post(self, request: Request) -> Response:
        """Change one's own password. All other sessions and tokens end; the answer has new tokens."""
        body = validated_body(request, PasswordChangeInput)
        user = change_password(
            user=account_of(request), current=body["current_password"], new=body["new_password"]
        )
        if request.auth is None:  # a browser's session goes on under a new key
            update_session_auth_hash(request._request, user)
        return Response(asdict(issue_tokens(user)))


class PasswordResetView(APIView):
    authentication_classes = []
    permission_classes = [Visitor]

    @extend_schema(request=PasswordResetInput, responses={202: None}, tags=TAGS)
    def post(self, request: Request) -> Response:
        """Ask for a link by mail. The answer is the same whether the address is known or not."""
        body = validated_body(request, PasswordResetInput)
        request_password_reset(
            email=body["email"],
            site_url=request._request.build_absolute_uri("/"),
            address=client_address(request._request),
        )
        return Response(status=202)


class PasswordResetConfirmView(APIView):
    authentication_classes = []
    permission_classes = [Visitor]

    @extend_schema(request=PasswordResetConfirmInput, responses={204: None}, tags=TAGS)
    def post(self, request: Request) -> Response:
        """Set a new password with the two parts of the mailed link."""
        body = validated_body(request, PasswordResetConfirmInput)
        confirm_password_reset(**body, address=client_address(request._request))
        return Response(status=204)
