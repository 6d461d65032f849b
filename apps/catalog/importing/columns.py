"""Which column of a film's table is which, whatever an export calls them."""

from collections.abc import Mapping

from apps.core.importing.bad_lines import bad_line
from apps.core.importing.tables import Header

# Of two columns with the same meaning the one named first here is read.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "movie_title", "primarytitle", "name", "film", "movie"),
    "original_title": ("original_title", "originaltitle"),
    "year": ("year", "release_year", "startyear"),
    "release_date": ("release_date", "released", "date"),
    "overview": ("overview", "description", "plot", "summary", "synopsis"),
    "genres": ("genres", "genre"),
    "language": ("original_language", "language", "lang"),
    "runtime": ("runtime", "runtime_minutes", "runtimeminutes", "duration"),
    "poster_path": ("poster_path", "poster", "poster_url"),
    "vote_average": ("vote_average",),
    "vote_count": ("vote_count",),
    "keywords": ("keywords", "plot_keywords", "tags"),
    "cast": ("cast", "actors", "stars"),
    "crew": ("crew",),
    "director": ("director", "directors"),
    "writer": ("writer", "writers"),
    "tmdb_id": ("tmdb_id", "tmdbid", "movie_id", "id"),
    "imdb_id": ("imdb_id", "imdbid", "imdb", "tconst"),
    "countries": ("production_countries", "countries", "country"),
    "series": ("belongs_to_collection",),
    "adult": ("adult",),
}


def map_columns(file: str, header: Header) -> dict[str, int]:
    """Places of the known columns by their meaning. There must be a title, and a year or an id."""
    seats = {name: number for number, name in reversed(list(enumerate(header.columns)))}
    found = {
        meaning: seats[next(name for name in names if name in seats)]
        for meaning, names in ALIASES.items()
        if any(name in seats for name in names)
    }
    if "title" not in found or not {"year", "release_date", "tmdb_id", "imdb_id"} & set(found):
        columns = header.separator.join(header.columns)
        raise bad_line(
            file, 1, "a header with a title and with year, release_date, tmdb_id or imdb_id", columns
        )
    return found


def key_columns(file: str, header: Header, *wanted: str) -> dict[str, int]:
    """Places of the film's id at TMDB and of the columns of a file that belongs to one of films."""
    seats = {name: header.columns.index(name) for name in wanted if name in header.columns}
    for name in ALIASES["tmdb_id"]:
        if name in header.columns and len(seats) == len(wanted):
            return {"tmdb_id": header.columns.index(name), **seats}
    columns = header.separator.join(header.columns)
    raise bad_line(file, 1, f"a header with id or movie_id, and {' and '.join(wanted)}", columns)
