"""Pairs of JSON web tokens."""

from dataclasses import dataclass
from typing import cast

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from apps.accounts.models import User
from apps.core.errors import CredentialsRefused


@dataclass(frozen=True)
class TokenPair:
    access: str
    refresh: str


def issue_tokens(user: User) -> TokenPair:
    refresh = RefreshToken.for_user(user)
    return TokenPair(access=str(refresh.access_token), refresh=str(refresh))


def refresh_tokens(text: str) -> TokenPair:
    """A new pair for a refresh token, which is spent by it: of two who send it, one is refused."""
    token = _parsed(text)
    user = User.objects.with_account().present().filter(pk=token[api_settings.USER_ID_CLAIM]).first()
    if user is None:
        raise CredentialsRefused("There is no active account of this token")
    if token.get(api_settings.REVOKE_TOKEN_CLAIM) != get_md5_hash_password(user.password):
        raise CredentialsRefused("The password has changed since: log in again")
    _spend(token)
    return issue_tokens(user)


def blacklist_token(text: str) -> None:
    """Ends a refresh token."""
    _spend(_parsed(text))


def standing_tokens(user: User) -> QuerySet[OutstandingToken]:
    """The refresh tokens that still open anything: issued, not run out and not ended."""
    issued = OutstandingToken.objects.filter(user=user, expires_at__gt=timezone.now())
    return issued.filter(blacklistedtoken=None)


def end_tokens(user: User) -> int:
    """Ends every refresh token of theirs; how many. Access tokens go on until they run out."""
    tokens = [BlacklistedToken(token=token) for token in standing_tokens(user)]
    BlacklistedToken.objects.bulk_create(tokens, ignore_conflicts=True)
    return len(tokens)


def _parsed(text: str) -> RefreshToken:
    try:
        return RefreshToken(text)  # type: ignore[arg-type] # its stub says Token, it takes the text
    except TokenError:
        raise CredentialsRefused("This refresh token is not valid, has expired or was used before") from None


def _spend(token: RefreshToken) -> None:
    # Annotated as the row, but it is Django's (row, created).
    spent = cast(tuple[BlacklistedToken, bool], token.blacklist())
    if not spent[1]:
        raise CredentialsRefused("This refresh token is not valid, has expired or was used before")
