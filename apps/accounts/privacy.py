"""Everything held about a person: which rooms hold it, handing it out, merging it, erasing it.

Each app registers its ``DataSource`` in ``ready()``; no room is called by name.
"""

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from apps.accounts.models import User
from apps.core.json import encode
from apps.core.services import Actor, record_audit
from apps.core.spreadsheets import csv_lines

Row = Mapping[str, object]


@dataclass(frozen=True)
class DataSource:
    """What one table or group of tables holds about a person.

    ``export`` gives plain rows. ``erase`` removes or unlinks. ``merge`` takes a guest and an
    account, in this order, and moves what the account does not have; the account's own wins.
    All run inside one transaction.
    """

    name: str
    export: Callable[[User], Iterable[Row]]
    erase: Callable[[User], None]
    merge: Callable[[User, User], None] | None = None


_sources: dict[str, DataSource] = {}


def register_source(source: DataSource) -> None:
    if source.name in _sources:
        raise ImproperlyConfigured(f"There is a data source {source.name!r} already")
    _sources[source.name] = source


def registered_sources() -> tuple[DataSource, ...]:
    """In the order of registration: lower rooms first."""
    return tuple(_sources.values())


def export_user(user: User, *, by: Actor | None = None) -> bytes:
    """A zip with one JSON and one CSV file per source, of the user and of guests merged into it.

    ``by`` is the member of staff who takes it, for the audit; None is the person, or an operator.
    """
    if by is not None:
        record_audit("accounts.export_user", by=by, target=user)
    people = [user, *User.objects.merged_into(user)]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for source in registered_sources():
            rows = [dict(row) for person in people for row in source.export(person)]
            files.writestr(f"{source.name}.json", encode(rows))
            files.writestr(f"{source.name}.csv", _csv(rows))
    return archive.getvalue()


@transaction.atomic
def erase_user(user: User, *, by: Actor | None = None) -> None:
    """Erases everything held about the user and the guests merged into it, last the rows.

    Sources run in reverse order of registration: higher rooms first. ``by`` is who erases: the
    person, whose name leaves the audit with the rest, a member of staff, or None for an operator.
    """
    people = [*User.objects.merged_into(user), User.objects.select_for_update().get(pk=user.pk)]
    record_audit("accounts.erase_user", by=by, target=user)
    for person in people:
        for source in reversed(registered_sources()):
            source.erase(person)
        person.delete()


def _csv(rows: list[dict[str, object]]) -> str:
    return "".join(csv_lines(list(dict.fromkeys(name for row in rows for name in row)), rows))
