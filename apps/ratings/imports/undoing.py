"""An import taken back: everything as it was before it, but for what the viewer changed since."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.core.errors import Conflict
from apps.ratings.imports.conflicts import Said
from apps.ratings.imports.own import own_import
from apps.ratings.imports.preferences import BATCH, STORES, New, Store
from apps.ratings.imports.tallying import Tally
from apps.ratings.models import Import, ImportRow
from apps.ratings.services import note_departures


@dataclass
class _Restored:
    at: datetime
    tally: Tally = field(default_factory=Tally)
    n_restored: int = 0
    n_left: int = 0


@transaction.atomic
def undo_import(*, user: User, import_id: int) -> Import:
    """Puts back each preference that is still as the import left it; undone once more nothing changes.

    What was not there before is deleted, not left as a tombstone. Raises ``NotFound``, ``Conflict``.
    """
    found = own_import(user, import_id, lock=True)
    if found.status == Import.Status.UNDONE:
        return found
    _require_undoable(found)
    restored = _Restored(timezone.now())
    for kind, rows in groupby(found.rows.written(), key=lambda row: row.kind):
        _restore_kind(restored, STORES[kind], user, list(rows))
    restored.tally.count()
    found.status, found.undone_at = Import.Status.UNDONE, restored.at
    found.n_restored, found.n_left = restored.n_restored, restored.n_left
    found.save(update_fields=["status", "undone_at", "n_restored", "n_left"])
    return found


def _require_undoable(found: Import) -> None:
    if found.status == Import.Status.PREVIEWED:
        raise Conflict("This import was not applied: there is nothing to undo")
    if found.pruned_at is not None:
        raise Conflict("This import is too old to undo: its rows are no longer kept")


def _restore_kind(restored: _Restored, store: Store, user: User, rows: Sequence[ImportRow]) -> None:
    films = {row.movie_id: row for row in rows if row.movie_id is not None}
    own = {row.movie_id: row for row in store.rows(user.pk, films)}
    gone: list[int] = []
    back: list[New] = []
    for movie_id, row in films.items():
        mine = own.get(movie_id)
        if mine is None or row.written_at is None or store.said(mine) != Said(row.state, row.written_at):
            restored.n_left += 1
            continue
        restored.n_restored += 1
        restored.tally.add(row, before=row.state, after=row.before_state if row.before_at else None)
        if row.before_at is None:
            gone.append(mine.pk)
            continue
        back.append((mine.pk, row.before_state, row.before_at))
    store.update(back, now=restored.at)
    manager = store.model._default_manager
    for start in range(0, len(gone), BATCH):
        manager.filter(pk__in=gone[start : start + BATCH]).delete()
    if gone:
        note_departures(kind=store.model.KIND, user_ids=[user.pk])
