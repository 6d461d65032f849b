"""What this room holds about a person, for the privacy registry."""

from collections.abc import Callable, Iterator

from apps.accounts.models import User
from apps.accounts.privacy import DataSource, Row, register_source
from apps.ratings.models import Dismissal, Favorite, Preference, Rating, Thumb, WatchlistItem
from apps.ratings.services import erase_preferences, merge_preferences

_TABLES: dict[str, tuple[type[Preference], str]] = {
    "ratings": (Rating, "value"),
    "favorites": (Favorite, "is_active"),
    "watchlist": (WatchlistItem, "is_active"),
    "thumbs": (Thumb, "direction"),
    "dismissals": (Dismissal, "is_active"),
}


def register_sources() -> None:
    for name, (model, column) in _TABLES.items():
        register_source(DataSource(name, _exporter(model, column), _eraser(model), _merger(model)))


def _exporter(model: type[Preference], column: str) -> Callable[[User], Iterator[Row]]:
    """Tombstones too: that something was taken back is held as well."""

    def export(user: User) -> Iterator[Row]:
        rows = model._default_manager.filter(user=user).order_by("changed_at", "pk")
        yield from rows.values("movie_id", "movie__title", "movie__year", column, "changed_at").iterator()

    return export


def _eraser(model: type[Preference]) -> Callable[[User], None]:
    def erase(user: User) -> None:
        erase_preferences(model=model, user_id=user.pk)

    return erase


def _merger(model: type[Preference]) -> Callable[[User, User], None]:
    def merge(guest: User, into: User) -> None:
        merge_preferences(model=model, from_id=guest.pk, to_id=into.pk)

    return merge
