"""The people of a data set as accounts that nobody can log in to."""

from collections.abc import Iterable

from apps.accounts.services import ensure_imported_users
from apps.core.importing.batches import batches
from apps.ratings.importing.records import PersonLine

BATCH = 1000


def username(source: str, person: int) -> str:
    return f"ml-{source}-{person}"


def load_people(source: str, lines: Iterable[PersonLine]) -> int:
    """How many were new. Their ids are kept, and nothing that the source says of them."""
    made = 0
    for batch in batches(lines, BATCH):
        made += ensure_imported_users(usernames={username(source, line.person) for line in batch})[1]
    return made
