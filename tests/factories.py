"""Rows for tests. Each function makes a valid one and lets the test say what matters to it."""

import itertools
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import Permission

from apps.accounts.keys import create_api_key
from apps.accounts.models import ApiKey, User

PASSWORD = "an-Unusual-passphrase-41"

_numbers = itertools.count(1)


def make_user(username: str = "", **values: Any) -> User:
    """An account; its password is ``PASSWORD`` unless ``password`` says otherwise."""
    password = values.pop("password", PASSWORD)
    return User.objects.create_user(username or f"viewer-{next(_numbers)}", password=password, **values)


def make_guest(**values: Any) -> User:
    return make_user(
        values.pop("username", f"guest-{next(_numbers)}"), password=None, is_guest=True, **values
    )


def make_staff(*, permissions: Sequence[str] = (), **values: Any) -> User:
    """A member of staff with permissions such as ``catalog.change_movie``."""
    user = make_user(values.pop("username", f"staff-{next(_numbers)}"), is_staff=True, **values)
    for name in permissions:
        app, codename = name.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def make_api_key(*scopes: str, **values: Any) -> tuple[ApiKey, str]:
    """A key and its text."""
    return create_api_key(
        name=values.get("name", "a program"), scopes=scopes, expires_at=values.get("expires_at"), by=None
    )
