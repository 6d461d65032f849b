"""Viewers that a simulation plays."""

import secrets
import uuid
from collections.abc import Iterator
from datetime import datetime

from django.contrib.auth.hashers import make_password

from apps.accounts.models import User

PREFIX = "simulated-"
BATCH = 1000


def create_simulated_viewers(n: int, *, joined: datetime) -> list[User]:
    """``n`` new guests nobody is behind, marked as such wherever people are listed."""

    def rows() -> Iterator[User]:
        for _ in range(n):
            yield User(
                username=f"{PREFIX}{secrets.token_hex(8)}",
                password=make_password(None),
                unit_key=uuid.uuid4(),
                is_guest=True,
                is_simulated=True,
                date_joined=joined,
            )

    return User.objects.bulk_create(rows(), batch_size=BATCH)
