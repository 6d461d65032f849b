"""Changing, checking and resetting a password."""

import logging
import uuid

from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from apps.accounts.models import Session, User
from apps.accounts.services.logins import count_attempt
from apps.accounts.services.rules import check_new_password
from apps.core.errors import InvalidInput
from apps.core.rates import enforce

logger = logging.getLogger(__name__)


def confirm_password(*, user: User, password: str, pointer: str = "/password") -> None:
    """Refuses a wrong password, counted like an attempt to log in."""
    count_attempt(user.username)
    if not user.check_password(password):
        raise InvalidInput.of(pointer, "This is not your password")


def change_password(*, user: User, current: str, new: str) -> User:
    """All sessions, tokens and reset links of before end with it."""
    confirm_password(user=user, password=current, pointer="/current_password")
    check_new_password(new, user=user, pointer="/new_password")
    return _set_password(user, new)


def request_password_reset(*, email: str, site_url: str, address: str) -> None:
    """Mails a link to every active account of that address.

    Whether there is one shows neither in the answer nor in the work: without one the same mail is
    made and the mail server is called, but nothing is sent. ``site_url`` is the site's root.
    """
    enforce("login_address", address, refusal="Too many requests from this address")
    accounts = list(_accounts_of(email))
    # The decoy is nobody's; its link opens nothing.
    people = accounts or [User(pk=0, username="nobody", email=email, unit_key=uuid.uuid4())]
    mails = [_reset_mail(user, site_url) for user in people]
    try:
        with get_connection() as connection:
            connection.send_messages(mails if accounts else [])
    except OSError:  # smtplib's errors are among these; an error page would tell the addresses apart
        logger.exception("password_reset_mail_failed count=%d", len(mails))


def confirm_password_reset(*, uid: str, token: str, password: str, address: str) -> User:
    """Sets the password that a mailed link allows to set, once."""
    enforce("login_address", address, refusal="Too many attempts from this address")
    user = user_of_reset_link(uid=uid, token=token)
    check_new_password(password, user=user)
    return _set_password(user, password)


def user_of_reset_link(*, uid: str, token: str) -> User:
    """Whom the link is for; refuses one that is forged, used or too old."""
    try:
        pk = int(urlsafe_base64_decode(uid))
    except (ValueError, OverflowError):
        pk = 0
    user = User.objects.with_account().filter(pk=pk, is_active=True).first() if 0 < pk < 2**63 else None
    if user is None or not default_token_generator.check_token(user, token):
        raise InvalidInput.of("/token", "This link is not valid any more: ask for a new one")
    return user


def _accounts_of(email: str) -> list[User]:
    if not email:
        return []
    found = User.objects.with_account().filter(email__iexact=email, is_active=True)
    return [user for user in found if user.has_usable_password()]


def _reset_mail(user: User, site_url: str) -> EmailMessage:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    link = f"{site_url.rstrip('/')}/password/reset/{uid}/{token}/"
    body = render_to_string("accounts/mail/password_reset.txt", {"username": user.username, "link": link})
    return EmailMessage(subject="Set a new password for Marquee", body=body, to=[user.email])


@transaction.atomic
def _set_password(user: User, password: str) -> User:
    """Who changes it in a browser calls ``update_session_auth_hash``, which opens a session anew."""
    user.set_password(password)
    user.save(update_fields=["password"])
    Session.objects.of(user).delete()
    return user
