"""Which files of a place hold films, and which belong to them."""

from dataclasses import dataclass
from pathlib import Path

from apps.core.errors import InvalidInput
from apps.core.importing.places import Folder, Place, open_place

TABLES = (".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class TmdbFiles:
    """Names of files in ``place``; empty where there is none. ``missing`` would belong to it."""

    place: Place
    films: str
    credits: str = ""
    keywords: str = ""
    missing: tuple[str, ...] = ()


# Films, their credits, their keywords.
_KNOWN = (
    ("tmdb_5000_movies.csv", "tmdb_5000_credits.csv", ""),
    ("movies_metadata.csv", "credits.csv", "keywords.csv"),
)


def open_files(place: str) -> TmdbFiles:
    """A table of films, with what belongs to it beside it; or a folder or zip that holds one."""
    path = Path(place).expanduser()
    if not path.exists():
        raise InvalidInput(f"There is no folder or file {place}; give a CSV, or a folder or zip with one")
    if path.suffix.lower() in TABLES:
        return _beside(Folder(path.resolve().parent), path.name)
    files = open_place(path)
    names = files.names()
    known = [films for films, _, _ in _KNOWN if films in names]
    tables = known[:1] or sorted(name for name in names if name.lower().endswith(TABLES[:2]))
    if len(tables) != 1:
        known_names = " and no ".join(films for films, _, _ in _KNOWN)
        raise InvalidInput(
            f"{place} holds no {known_names}, and {len(tables)} CSV files: name the one of films"
        )
    return _beside(files, tables[0])


def _beside(place: Place, films: str) -> TmdbFiles:
    names = place.names()
    for known, people, keywords in _KNOWN:
        if films == known:
            missing = tuple(name for name in (people, keywords) if name and name not in names)
            return TmdbFiles(
                place,
                films,
                credits=people if people in names else "",
                keywords=keywords if keywords in names else "",
                missing=missing,
            )
    return TmdbFiles(place, films)
