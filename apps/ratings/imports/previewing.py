"""A file as a preview: what it says, which films it means, and what would change."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.catalog.titles import MAX_TITLE
from apps.core.bulk import Value, insert_rows, time_stamp
from apps.core.json import encode
from apps.core.rates import enforce
from apps.ratings.imports.conflicts import Said, Status, compare, takes_file
from apps.ratings.imports.entries import Entry
from apps.ratings.imports.matching import Match, match_films
from apps.ratings.imports.preferences import STORES
from apps.ratings.imports.pruning import prune_number
from apps.ratings.imports.reading import Reading, read_upload
from apps.ratings.imports.uploads import SentFile, content_of, plain_name
from apps.ratings.models import Import, ImportRow

_UNDATED = datetime.min.replace(tzinfo=UTC)


_COLUMNS = (
    "parent_id file line kind status title year ids movie_id state at why before_state before_at"
).split()


@dataclass(frozen=True)
class _Found:
    entry: Entry
    match: Match


@dataclass(frozen=True)
class _Row:
    """What an ``ImportRow`` will be."""

    found: _Found
    own: Said | None
    status: ImportRow.Status

    @property
    def is_newer(self) -> bool:
        if self.status != Status.CONFLICT or self.own is None:
            return False
        return takes_file(Import.Rule.NEWER, at=self.found.entry.at, own=self.own)

    def values(self, parent_id: int) -> Sequence[Value]:
        """In the order of ``_COLUMNS``. The title on one line, whatever the file had."""
        entry, match, own = self.found.entry, self.found.match, self.own
        return (
            parent_id,
            entry.file,
            entry.line,
            entry.kind,
            self.status.value,
            " ".join(entry.title.split())[:MAX_TITLE],
            entry.year,
            encode(entry.ids.as_json()).decode(),
            match.movie_id,
            entry.state,
            _stamp(entry.at),
            match.why,
            own.state if own else None,
            _stamp(own.at) if own else None,
        )


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else time_stamp(at)


def preview_import(*, user: User, name: str, file: SentFile, address: str) -> Import:
    """Reads a file and keeps what it would do; nothing of the viewer's own is changed.

    A preview that the viewer has not applied gives way to this one. ``address`` is the client's.
    Raises ``InvalidInput`` with file, line and what was expected, ``TooLarge`` and ``TooMany``.
    """
    enforce("import_address", address, refusal="Too many files from this address")
    enforce("import", f"user:{user.pk}", refusal="Too many files")
    shown = plain_name(name)
    reading = read_upload(shown, content_of(file))
    matches = match_films(reading.entries)
    found, n_repeated = _last_said(
        [_Found(entry, match) for entry, match in zip(reading.entries, matches, strict=True)]
    )
    rows = _rows(user, found)
    return _keep(user, shown, reading, rows, n_repeated)


def _last_said(found: Sequence[_Found]) -> tuple[list[_Found], int]:
    """One entry for each film and kind, in the file's order; and how many others there were."""
    best: dict[tuple[str, int], _Found] = {}
    for one in found:
        if one.match.movie_id is not None:
            key = one.entry.kind, one.match.movie_id
            if key not in best or _order(one) >= _order(best[key]):
                best[key] = one
    kept = [
        one for one in found if one.match.movie_id is None or best[one.entry.kind, one.match.movie_id] is one
    ]
    return kept, len(found) - len(kept)


def _order(one: _Found) -> tuple[int, datetime]:
    return one.entry.weight, one.entry.at or _UNDATED


def _rows(user: User, found: Sequence[_Found]) -> list[_Row]:
    films: dict[str, list[int]] = defaultdict(list)
    for one in found:
        if one.match.movie_id is not None:
            films[one.entry.kind].append(one.match.movie_id)
    own = {kind: STORES[kind].own(user.pk, movie_ids) for kind, movie_ids in films.items()}
    return [_row(one, own.get(one.entry.kind, {}).get(one.match.movie_id or 0)) for one in found]


def _row(one: _Found, own: Said | None) -> _Row:
    is_matched = one.match.movie_id is not None
    return _Row(one, own, compare(one.entry.state, own) if is_matched else Status.UNMATCHED)


@transaction.atomic
def _keep(user: User, name: str, reading: Reading, rows: Sequence[_Row], n_repeated: int) -> Import:
    Import.objects.of(user.pk).waiting().delete()
    numbers = {status: sum(row.status == status for row in rows) for status in Status}
    made = Import.objects.create(
        user=user,
        file_name=name,
        site=reading.site,
        n_new=numbers[Status.NEW],
        n_unchanged=numbers[Status.UNCHANGED],
        n_conflicts=numbers[Status.CONFLICT],
        n_newer=sum(row.is_newer for row in rows),
        n_unmatched=numbers[Status.UNMATCHED],
        n_repeated=n_repeated,
        skipped=dict(reading.skipped),
        created_at=timezone.now(),
    )
    insert_rows(ImportRow._meta.db_table, _COLUMNS, (row.values(made.pk) for row in rows))
    prune_number(user=user)
    return made
