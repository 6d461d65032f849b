"""Taking back what was just said of a film: the message that says it was done carries the way back."""

from dataclasses import dataclass

from apps.accounts.models import User
from apps.events.models import Kind
from apps.ratings.models import Rating, Thumb

_PREFIX = "undo"
_OPPOSITES = {
    Kind.FAVORITE: Kind.UNFAVORITE,
    Kind.WATCHLIST: Kind.UNWATCHLIST,
    Kind.DISMISS: Kind.UNDISMISS,
}
_OPPOSITES |= {after: before for before, after in _OPPOSITES.items()}
_RATINGS = {Kind.RATE, Kind.UNRATE}
_THUMBS = {1: Kind.THUMBS_UP, -1: Kind.THUMBS_DOWN, 0: Kind.THUMBS_CLEAR}


@dataclass(frozen=True)
class Undo:
    """What the button says. ``value`` is in stars, for a rating that comes back."""

    movie_id: int
    kind: Kind
    value: float | None = None
    event_id: int | None = None

    @property
    def tags(self) -> str:
        """For a message, which carries it through a redirect."""
        stars = "" if self.value is None else f"{self.value:g}"
        event = "" if self.event_id is None else str(self.event_id)
        return ":".join((_PREFIX, str(self.movie_id), self.kind.value, stars, event))

    @classmethod
    def of_tags(cls, tags: str) -> "Undo | None":
        """The undo that a message carries, if any."""
        if not tags.startswith(f"{_PREFIX}:"):
            return None
        _, movie_id, kind, stars, event = tags.split(":")
        return cls(int(movie_id), Kind(kind), float(stars) if stars else None, int(event) if event else None)


def undo_of(viewer: User, *, movie_id: int, kind: Kind, event_id: int | None) -> Undo | None:
    """What would take ``kind`` back. Ask before it is done: a rating goes back to the one before.

    One query for ratings and thumbs. None when there would be nothing to take back.
    """
    value = _rating_before(viewer, movie_id) if kind in _RATINGS else None
    if kind in _RATINGS:
        back = Kind.UNRATE if value is None else Kind.RATE
    elif kind in _OPPOSITES:
        back = _OPPOSITES[kind]
    else:
        back = _thumb_before(viewer, movie_id)
    is_same = back is kind and kind is not Kind.RATE
    return None if is_same else Undo(movie_id, back, value, event_id)


def depends_on_before(kind: Kind) -> bool:
    """Whether only the state before the act says what would take it back."""
    return kind not in _OPPOSITES


def _rating_before(viewer: User, movie_id: int) -> float | None:
    rows = Rating.objects.of(viewer.pk).standing().filter(movie_id=movie_id)
    return rows.values_list("value", flat=True).first()


def _thumb_before(viewer: User, movie_id: int) -> Kind:
    rows = Thumb.objects.of(viewer.pk).filter(movie_id=movie_id)
    return _THUMBS[rows.values_list("direction", flat=True).first() or 0]
