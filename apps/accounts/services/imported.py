"""People who came with a data set: rows that rate, but nobody who can log in."""

from collections.abc import Iterable

from django.contrib.auth.hashers import make_password
from django.db import transaction

from apps.accounts.models import User
from apps.core.errors import Conflict

BATCH = 1000


@transaction.atomic
def ensure_imported_users(*, usernames: Iterable[str]) -> tuple[dict[str, int], int]:
    """Ids by username, rows made where there are none; and how many were made.

    ``Conflict`` when a username belongs to somebody who was not imported.
    """
    wanted = sorted(set(usernames))
    known = _imported_ids(wanted)
    missing = [name for name in wanted if name not in known]
    User.objects.bulk_create(
        (User(username=name, password=make_password(None), is_imported=True) for name in missing),
        ignore_conflicts=True,
        batch_size=BATCH,
    )
    known |= _imported_ids(missing)
    for name in wanted:
        if name not in known:
            raise Conflict(f"The username {name} is taken by somebody who was not imported")
    return known, len(missing)


def _imported_ids(usernames: list[str]) -> dict[str, int]:
    ids: dict[str, int] = {}
    for start in range(0, len(usernames), BATCH):
        rows = User.objects.filter(username__in=usernames[start : start + BATCH], is_imported=True)
        ids.update(rows.values_list("username", "id"))
    return ids
