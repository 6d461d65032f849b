"""Finding the user that an operator means."""

from apps.accounts.models import User
from apps.core.errors import NotFound


def user_named(text: str) -> User:
    """The user of that name, in any case, or of that id; a name of digits wins over an id."""
    by_name = User.objects.named(text).first()
    if by_name is not None:
        return by_name
    is_id = text.isascii() and text.isdigit() and len(text) < 19
    user = User.objects.filter(pk=int(text)).first() if is_id else None
    if user is None:
        raise NotFound(f"There is no user {text!r}")
    return user
