"""From what was sent to what it says of films."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from apps.core.errors import InvalidInput
from apps.ratings.imports.entries import Entry, Skipped
from apps.ratings.imports.formats import FORMATS, Format
from apps.ratings.imports.rows import refusal
from apps.ratings.imports.tables import Table, read_table, require_few
from apps.ratings.imports.uploads import open_upload
from apps.ratings.models import Import

_EXPECTED = (
    "the columns of ratings as Letterboxd, IMDb, Trakt, MovieLens or Marquee export them (a list without "
    "ratings must have watchlist in its name)"
)


@dataclass(frozen=True)
class Reading:
    """``skipped`` counts by reason what was left out on purpose."""

    site: Import.Site
    entries: list[Entry]
    skipped: Mapping[str, int]


def read_upload(name: str, data: bytes) -> Reading:
    """Raises ``InvalidInput`` or ``TooLarge`` at the first thing that is not as it should be."""
    entries: list[Entry] = []
    skipped: Counter[str] = Counter()
    sites: set[Import.Site] = set()
    for member in open_upload(name, data):
        table = read_table(member)
        if not table.columns - {""}:
            continue
        found = _format_of(table)
        sites.add(found.site)
        for said in found.entries(table.rows):
            if isinstance(said, Skipped):
                skipped[said.why] += 1
            else:
                entries.append(said)
            require_few(name, len(entries) + skipped.total())
    if not entries and not skipped:
        raise InvalidInput(f"{name} holds no ratings")
    if len(sites) > 1:
        named = " and ".join(sorted(str(site.label) for site in sites))
        raise InvalidInput(f"{name} holds files of {named}: send them one by one")
    return Reading(sites.pop(), entries, dict(skipped))


def scale_of(site: str) -> str:
    """What becomes of the site's stars or points."""
    return next(one.scale for one in FORMATS if one.site == site)


def _format_of(table: Table) -> Format:
    for one in FORMATS:
        if one.takes(table.file, table.columns):
            return one
    hint = ""
    for mark, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if table.header.count(mark) > table.header.count(","):
            hint = f"; it has {name} where commas belong"
    error = refusal(table.file, "line", 1, _EXPECTED, table.header)
    raise InvalidInput(error.detail + hint)
