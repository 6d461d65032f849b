"""Two films that are one: what viewers said of the duplicate goes over to the film that is kept.

The log stays as it is, because it says what was shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.utils import timezone

from apps.catalog.models import Movie
from apps.catalog.services import (
    Absorption,
    absorb,
    count_ratings,
    plan_absorption,
    require_mergeable,
)
from apps.core.services import Actor, record_audit
from apps.ratings.models import (
    Dismissal,
    Favorite,
    MovedPreference,
    MovieMerge,
    Preference,
    Rating,
    Thumb,
    Unseen,
    WatchlistItem,
)
from apps.ratings.services import note_departures, rank

BATCH = 1000

KINDS: Mapping[str, tuple[type[Preference], str]] = {
    "rating": (Rating, "value"),
    "favorite": (Favorite, "is_active"),
    "watchlist": (WatchlistItem, "is_active"),
    "thumb": (Thumb, "direction"),
    "dismissal": (Dismissal, "is_active"),
    "unseen": (Unseen, "is_active"),
}


@dataclass(frozen=True)
class Moved:
    """Of one kind: ``moved`` to the kept film; of people who had said it of both films, ``newer``
    overruled what they had said of the kept one and ``older`` went.
    """

    moved: int = 0
    newer: int = 0
    older: int = 0

    def __add__(self, other: "Moved") -> "Moved":
        return Moved(self.moved + other.moved, self.newer + other.newer, self.older + other.older)


@dataclass(frozen=True)
class MergePreview:
    """What a merge would do, by kind of preference and in the catalogue."""

    preferences: Mapping[str, Moved]
    catalogue: Absorption


def preview_merge(*, duplicate: Movie, kept: Movie) -> MergePreview:
    """Writes nothing. Raises what ``merge_movies`` would."""
    require_mergeable(duplicate=duplicate, kept=kept)
    return MergePreview(
        {kind: _count(model, duplicate.pk, kept.pk) for kind, (model, _) in KINDS.items()},
        plan_absorption(duplicate=duplicate, kept=kept),
    )


@transaction.atomic
def merge_movies(*, duplicate: Movie, kept: Movie, reason: str, by: Actor | None) -> MovieMerge:
    """Moves every preference, gives the kept film what it lacked, hides the duplicate; whole or not.

    Of two preferences of one person the later act wins, as ``record_preference`` decides. Raises
    ``InvalidInput`` or ``Conflict`` as ``require_mergeable`` does. What reached the duplicate
    meanwhile follows when the same two are merged again.
    """
    require_mergeable(duplicate=duplicate, kept=kept)
    merge = MovieMerge.objects.create(duplicate=duplicate, kept=kept, merged_at=timezone.now())
    # Preferences before films, in the order in which viewers' own acts lock them.
    counts = {kind: _move(merge, kind) for kind in KINDS}
    given = absorb(duplicate=duplicate, kept=kept)
    merge.moved = {kind: asdict(moved) for kind, moved in counts.items()}
    merge.save(update_fields=["moved"])
    record_audit(
        "ratings.merge_movies",
        by=by,
        target=duplicate,
        before={"external_ids": given.external_ids, "is_available": True},
        after={"merge": merge.pk, "merged_into": kept.pk, "moved": merge.moved, "given": asdict(given)},
        reason=reason,
    )
    return merge


def _count(model: type[Preference], duplicate_id: int, kept_id: int) -> Moved:
    ours = model._default_manager.filter(movie_id=kept_id, user_id=OuterRef("user_id"))
    rows = model._default_manager.filter(movie_id=duplicate_id).annotate(
        ours_at=Subquery(ours.values("changed_at")[:1])
    )
    found = rows.aggregate(
        total=Count("pk"),
        both=Count("pk", filter=Q(ours_at__isnull=False)),
        newer=Count("pk", filter=Q(ours_at__lt=F("changed_at"))),
    )
    return Moved(found["total"] - found["both"], found["newer"], found["both"] - found["newer"])


def _move(merge: MovieMerge, kind: str) -> Moved:
    model, _ = KINDS[kind]
    total = Moved()
    while batch := _locked(model, movie_id=merge.duplicate_id)[:BATCH]:
        total += _move_batch(merge, kind, list(batch))
    return total


def _move_batch(merge: MovieMerge, kind: str, theirs: Sequence[Any]) -> Moved:
    model, column = KINDS[kind]
    ours = {
        row.user_id: row
        for row in _locked(model, movie_id=merge.kept_id, user_id__in=[row.user_id for row in theirs])
    }
    free = [row for row in theirs if row.user_id not in ours]
    both = [row for row in theirs if row.user_id in ours]
    newer = [row for row in both if _order(row, column) > _order(ours[row.user_id], column)]
    overruled = [ours[row.user_id] for row in newer]
    _keep_as_they_were(merge, kind, [*theirs, *overruled])
    if model is Rating:
        _count_ratings(merge, theirs, free=free, newer=newer, overruled=overruled)
    now = timezone.now()
    model._default_manager.filter(pk__in=[row.pk for row in free]).update(
        movie_id=merge.kept_id, updated_at=now
    )
    for row, won in zip(overruled, newer, strict=True):
        setattr(row, column, getattr(won, column))
        row.changed_at, row.updated_at = won.changed_at, now
    model._default_manager.bulk_update(overruled, [column, "changed_at", "updated_at"])
    model._default_manager.filter(pk__in=[row.pk for row in both]).delete()
    note_departures(kind=model.KIND, user_ids=[row.user_id for row in theirs])
    return Moved(len(free), len(newer), len(both) - len(newer))


def _locked(model: type[Preference], **which: Any) -> Any:
    rows = model._default_manager.filter(**which).order_by("user_id")
    return rows.select_for_update(no_key=True)


def _order(row: Any, column: str) -> tuple[Any, float]:
    return row.changed_at, rank(getattr(row, column))


def _keep_as_they_were(merge: MovieMerge, kind: str, rows: Sequence[Any]) -> None:
    _, column = KINDS[kind]
    MovedPreference.objects.bulk_create(
        MovedPreference(
            merge=merge,
            user_id=row.user_id,
            movie_id=row.movie_id,
            kind=kind,
            state=getattr(row, column),
            changed_at=row.changed_at,
        )
        for row in rows
    )


def _count_ratings(
    merge: MovieMerge,
    theirs: Sequence[Rating],
    *,
    free: Sequence[Rating],
    newer: Sequence[Rating],
    overruled: Sequence[Rating],
) -> None:
    """The duplicate counts none of its ratings any more, the kept film those that it has now."""
    lost, won, gone = _stars(theirs), _stars([*free, *newer]), _stars(overruled)
    deltas = {
        merge.duplicate_id: (-lost[0], -lost[1]),
        merge.kept_id: (won[0] - gone[0], won[1] - gone[1]),
    }
    count_ratings(deltas=deltas)


def _stars(ratings: Sequence[Rating]) -> tuple[float, int]:
    standing = [rating.value for rating in ratings if rating.value is not None]
    return sum(standing), len(standing)
