"""What this room holds about a person, for the privacy registry."""

from collections.abc import Callable, Iterator

from django.db.models import F

from apps.accounts.models import User
from apps.accounts.privacy import DataSource, Row, register_source
from apps.ratings.imports.merging import merge_imports
from apps.ratings.models import (
    Dismissal,
    Favorite,
    Import,
    ImportRow,
    MovedPreference,
    Preference,
    Rating,
    Thumb,
    Unseen,
    WatchlistItem,
)
from apps.ratings.services import erase_preferences, merge_preferences

_TABLES: dict[str, tuple[type[Preference], str]] = {
    "ratings": (Rating, "value"),
    "favorites": (Favorite, "is_active"),
    "watchlist": (WatchlistItem, "is_active"),
    "thumbs": (Thumb, "direction"),
    "dismissals": (Dismissal, "is_active"),
    "unseen": (Unseen, "is_active"),
}


def register_sources() -> None:
    # Before the preferences: what an import can still undo depends on which of them change hands.
    register_source(DataSource("imports", _export_imports, _erase_imports, merge_imports))
    register_source(DataSource("import_rows", _export_import_rows, _erase_import_rows))
    for name, (model, column) in _TABLES.items():
        register_source(DataSource(name, _exporter(model, column), _eraser(model), _merger(model)))
    register_source(DataSource("moved_preferences", _export_moved, _erase_moved, _hand_over_moved))


def _exporter(model: type[Preference], column: str) -> Callable[[User], Iterator[Row]]:
    """Tombstones too: that something was taken back is held as well."""

    def export(user: User) -> Iterator[Row]:
        rows = model._default_manager.filter(user=user).order_by("changed_at", "pk")
        ids = {name: F(f"movie__{name}") for name in ("imdb_id", "tmdb_id", "movielens_id")}
        named = rows.annotate(title=F("movie__title"), year=F("movie__year"), **ids)
        yield from named.values("movie_id", "title", "year", *ids, column, "changed_at").iterator()

    return export


def _eraser(model: type[Preference]) -> Callable[[User], None]:
    def erase(user: User) -> None:
        erase_preferences(model=model, user_id=user.pk)

    return erase


def _merger(model: type[Preference]) -> Callable[[User, User], None]:
    def merge(guest: User, into: User) -> None:
        merge_preferences(model=model, from_id=guest.pk, to_id=into.pk)

    return merge


def _export_imports(user: User) -> Iterator[Row]:
    columns = "id file_name site status rule skipped created_at applied_at undone_at pruned_at".split()
    numbers = [f.name for f in Import._meta.fields if f.name.startswith("n_")]
    yield from Import.objects.of(user.pk).order_by("pk").values(*columns, *numbers).iterator()


def _export_import_rows(user: User) -> Iterator[Row]:
    columns = "file line kind status title year ids movie_id state at why before_state before_at written_at"
    rows = ImportRow.objects.filter(parent__user=user).order_by("pk")
    yield from rows.values("parent_id", *columns.split()).iterator()


def _erase_imports(user: User) -> None:
    Import.objects.of(user.pk).delete()


def _erase_import_rows(user: User) -> None:
    ImportRow.objects.filter(parent__user=user).delete()


def _export_moved(user: User) -> Iterator[Row]:
    rows = MovedPreference.objects.filter(user=user).order_by("pk").annotate(title=F("movie__title"))
    yield from rows.values("movie_id", "title", "kind", "state", "changed_at").iterator()


def _erase_moved(user: User) -> None:
    MovedPreference.objects.filter(user=user).delete()


def _hand_over_moved(guest: User, into: User) -> None:
    MovedPreference.objects.filter(user=guest).update(user=into)
