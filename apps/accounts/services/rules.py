"""What a username, a password, an email address and a time zone must be."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.accounts.models import User
from apps.accounts.timezones import zone
from apps.core.errors import FieldError, InvalidInput

# Names that the site gives out itself.
RESERVED_PREFIXES = ("guest-", "movielens-")
MAX_PASSWORD_LENGTH = 256


def checked_username(username: str) -> str:
    """The name in the form that is stored."""
    username = User.normalize_username(username)
    if username.casefold().startswith(RESERVED_PREFIXES):
        raise InvalidInput.of("/username", f"A username cannot begin with {username.split('-')[0]}-")
    field = User._meta.get_field("username")
    try:
        field.run_validators(username)
    except ValidationError as error:
        raise _refusal("/username", error) from None
    if not username:
        raise InvalidInput.of("/username", "A username is needed")
    return username


def username_taken(username: str) -> InvalidInput:
    """The refusal of a name that somebody has, in any case."""
    return InvalidInput.of("/username", f"The username {username!r} is taken")


def check_new_password(password: str, *, user: User, pointer: str = "/password") -> None:
    """``user`` is whose name and address the password must not resemble; it need not be saved."""
    if len(password) > MAX_PASSWORD_LENGTH:
        raise InvalidInput.of(pointer, f"A password has at most {MAX_PASSWORD_LENGTH} characters")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise _refusal(pointer, error) from None


def checked_email(email: str) -> str:
    """The address in the form that is stored; empty is none."""
    email = User.objects.normalize_email(email.strip())
    if not email:
        return ""
    try:
        validate_email(email)
    except ValidationError as error:
        raise _refusal("/email", error) from None
    return email


def checked_timezone(name: str) -> str:
    """A name of the IANA database; empty is none."""
    if name and zone(name) is None:
        raise InvalidInput.of("/timezone", f"There is no time zone {name!r}; give one like Europe/Berlin")
    return name


def _refusal(pointer: str, error: ValidationError) -> InvalidInput:
    messages = [str(message) for message in error.messages]
    return InvalidInput(messages[0], errors=[FieldError(pointer, message) for message in messages])
