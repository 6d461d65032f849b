"""An import's preview written to the viewer's preferences, once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.accounts.models import User
from apps.core.bulk import time_stamp, update_rows
from apps.core.errors import Conflict, InvalidInput
from apps.ratings.imports.conflicts import Said, Status, compare, takes_file
from apps.ratings.imports.own import own_import
from apps.ratings.imports.preferences import BATCH, STORES, New, Overtaken, Store
from apps.ratings.imports.tallying import Tally
from apps.ratings.models import Import, ImportRow

# Each fails only if the viewer rates one of the films during it, which people do seldom.
_ATTEMPTS = 10


def apply_import(*, user: User, import_id: int, rule: str) -> Import:
    """Writes the preview; where file and viewer differ ``rule`` decides. Applied once more by the same
    rule nothing changes.

    Preferences are compared anew: what the viewer said since the preview is not lost. They settle no
    impression, since no list led to them. Raises ``NotFound``, ``Conflict``, ``InvalidInput``.
    """
    if rule not in Import.Rule.values:
        raise InvalidInput.of("/rule", f"A rule is one of {', '.join(Import.Rule.values)}")
    for _ in range(_ATTEMPTS):
        try:
            return _apply(user, import_id, rule)
        except Overtaken:
            continue
    raise Conflict("Your ratings are changing at this moment: try again")


@dataclass
class _Written:
    """What applying comes to. ``stale`` are rows that compare otherwise than in the preview."""

    at: datetime
    numbers: Counter[str] = field(default_factory=Counter)
    stale: list[ImportRow] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)


@transaction.atomic
def _apply(user: User, import_id: int, rule: str) -> Import:
    found = own_import(user, import_id, lock=True)
    if found.status == Import.Status.APPLIED and found.rule == rule:
        return found
    _require_preview(found)
    written = _Written(timezone.now())
    for kind, rows in groupby(found.rows.matched(), key=lambda row: row.kind):
        _write_kind(written, STORES[kind], user, rule, list(rows))
    written.tally.count()
    _remember(written)
    found.status, found.rule, found.applied_at = Import.Status.APPLIED, rule, written.at
    for name in ("added", "changed", "kept"):
        setattr(found, f"n_{name}", written.numbers[name])
    found.save(update_fields=["status", "rule", "applied_at", "n_added", "n_changed", "n_kept"])
    return found


def _require_preview(found: Import) -> None:
    if found.status == Import.Status.APPLIED:
        label = Import.Rule(found.rule).label
        raise Conflict(
            f"This import was applied with the rule “{label}”: undo it first, then send the file again"
        )
    if found.status == Import.Status.UNDONE:
        raise Conflict("This import was undone: send the file again to import it")


def _write_kind(written: _Written, store: Store, user: User, rule: str, rows: Sequence[ImportRow]) -> None:
    films = {row.movie_id: row for row in rows if row.movie_id is not None}
    own = {row.movie_id: row for row in store.rows(user.pk, films)}
    new: list[New] = []
    changed: list[New] = []
    for movie_id, row in films.items():
        at = row.at or written.at
        mine = own.get(movie_id)
        said = store.said(mine) if mine else None
        if not _decide(written, row, said, rule):
            continue
        written.keys.append(row.pk)
        if mine is None:
            new.append((movie_id, row.state, at))
        else:
            changed.append((mine.pk, row.state, at))
        written.tally.add(row, before=said.state if said else None, after=row.state)
    store.insert(user.pk, new, now=written.at)
    store.update(changed, now=written.at)


def _decide(written: _Written, row: ImportRow, said: Said | None, rule: str) -> bool:
    """Whether the row is written; sees to it that it knows what there was before."""
    before = (compare(row.state, said), said.state if said else None, said.at if said else None)
    if before != (row.status, row.before_state, row.before_at):
        row.status, row.before_state, row.before_at = before
        written.stale.append(row)
    if said is None:
        written.numbers["added"] += 1
        return True
    if row.status == Status.UNCHANGED:
        written.numbers["unchanged"] += 1
        return False
    takes = takes_file(rule, at=row.at, own=said)
    written.numbers["changed" if takes else "kept"] += 1
    return takes


def _remember(written: _Written) -> None:
    """Keeps with the rows what undoing needs: what was there before, and what was written when."""
    stale = (
        (row.pk, row.status, row.before_state, time_stamp(row.before_at) if row.before_at else None)
        for row in written.stale
    )
    update_rows(ImportRow, ("status", "before_state", "before_at"), stale)
    for start in range(0, len(written.keys), BATCH):
        rows = ImportRow.objects.filter(pk__in=written.keys[start : start + BATCH])
        rows.update(written_at=Coalesce("at", written.at))
