"""``/auth/token``: a name and a password for a pair of JSON web tokens."""

from dataclasses import asdict

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.acting import caller_of
from apps.accounts.api.serializers import CredentialsInput, RefreshInput, TokenPairOutput
from apps.accounts.authentication import GuestAuthentication
from apps.accounts.permissions import Visitor
from apps.accounts.services import adopt_guest, authenticate_account
from apps.accounts.tokens import blacklist_token, issue_tokens, refresh_tokens
from apps.core.address import client_address
from apps.core.api.bodies import validated_body
from apps.core.rates import enforce

TAGS = ["auth"]


class TokenView(APIView):
    # Only the guest's cookie counts here, so that a stale token cannot keep anyone from logging in.
    authentication_classes = [GuestAuthentication]
    permission_classes = [Visitor]

    @extend_schema(
        request=CredentialsInput,
        responses={200: TokenPairOutput},
        tags=TAGS,
    )
    def post(self, request: Request) -> Response:
        """Log in. The guest of the cookie, if any, is merged into the account."""
        body = validated_body(request, CredentialsInput)
        user = authenticate_account(**body, address=client_address(request._request))
        adopt_guest(request._request, guest=caller_of(request), user=user)
        return Response(asdict(issue_tokens(user)))


class TokenRefreshView(APIView):
    authentication_classes = []
    permission_classes = [Visitor]

    @extend_schema(
        request=RefreshInput,
        responses={200: TokenPairOutput},
        tags=TAGS,
    )
    def post(self, request: Request) -> Response:
        """A new pair for a refresh token, which can be used once."""
        body = validated_body(request, RefreshInput)
        _count_token_attempt(request)
        return Response(asdict(refresh_tokens(body["refresh"])))


class TokenBlacklistView(APIView):
    authentication_classes = []
    permission_classes = [Visitor]

    @extend_schema(request=RefreshInput, responses={204: None}, tags=TAGS)
    def post(self, request: Request) -> Response:
        """Log out: ends a refresh token."""
        body = validated_body(request, RefreshInput)
        _count_token_attempt(request)
        blacklist_token(body["refresh"])
        return Response(status=204)


def _count_token_attempt(request: Request) -> None:
    address = client_address(request._request)
    enforce("login_address", address, refusal="Too many attempts to log in from this address")
