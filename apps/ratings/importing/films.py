"""Films and their ids elsewhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from apps.catalog.matching import FilmIndex
from apps.catalog.records import FilmRecord
from apps.catalog.services import upsert_films
from apps.catalog.titles import display_title
from apps.core.importing.bad_lines import MAX_LISTED
from apps.core.importing.batches import batches
from apps.core.importing.counts import Upserted
from apps.ratings.importing.records import FilmLine, LinkLine

BATCH = 1000
Links = Mapping[int, LinkLine]


@dataclass
class LoadedFilms:
    """``movie_ids`` are ours by those of the source. ``taken`` counts ids that another film has."""

    counts: Upserted = field(default_factory=Upserted)
    movie_ids: dict[int, int] = field(default_factory=dict)
    untitled: int = 0
    taken: int = 0
    n_ambiguous: int = 0
    ambiguous: list[str] = field(default_factory=list)


def load_films(lines: Iterable[FilmLine], *, links: Links, index: FilmIndex, keys: str) -> LoadedFilms:
    """Adds the films, a thousand in each transaction."""
    loaded = LoadedFilms()
    for batch in batches(lines, BATCH):
        records = [film_record(line, links, keys) for line in batch]
        done = upsert_films(records=records, index=index, add_ambiguous=True)
        loaded.counts += done.counts
        loaded.taken += done.taken
        loaded.untitled += sum(not line.title for line in batch)
        loaded.n_ambiguous += len(done.ambiguous)
        room = MAX_LISTED - len(loaded.ambiguous)
        loaded.ambiguous += [records[number].name for number, _ in done.ambiguous[:room]]
        for line, movie_id in zip(batch, done.movie_ids, strict=True):
            if movie_id is not None:
                loaded.movie_ids[line.film] = movie_id
    return loaded


def film_record(line: FilmLine, links: Links, keys: str) -> FilmRecord:
    """``keys`` as in ``Source.film_keys``."""
    title = display_title(line.title)
    link = links.get(line.film)
    return FilmRecord(
        movielens_id=None if keys else line.film,
        key=f"{keys}{line.film}" if keys else "",
        title=title.title,
        original_title=title.original,
        year=line.year,
        genres=line.genres,
        imdb_id=link and link.imdb_id,
        tmdb_id=link and link.tmdb_id,
    )
