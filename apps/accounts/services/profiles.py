"""What people say about themselves."""

from apps.accounts.models import User
from apps.accounts.services.rules import checked_email, checked_timezone
from apps.core.errors import InvalidInput


def update_profile(*, user: User, timezone: str | None = None, email: str | None = None) -> User:
    """Changes what is given; None leaves a value as it is."""
    changed: list[str] = []
    if timezone is not None:
        user.timezone = checked_timezone(timezone)
        changed.append("timezone")
    if email is not None:
        if not user.has_account:
            raise InvalidInput.of("/email", "A guest has no email address: sign up first")
        user.email = checked_email(email)
        changed.append("email")
    user.save(update_fields=changed)
    return user
