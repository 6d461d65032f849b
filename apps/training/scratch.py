"""A data folder as a site of its own, for as long as it is measured.

The data goes through the importers into a scratch database, so that it is read, cleaned and matched
exactly as on a site.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings

from apps.core.errors import InvalidInput
from recommender_site import env

_REFUSED = "Refused: "


@dataclass(frozen=True)
class DataPlaces:
    """``ratings`` is a release of MovieLens; ``films`` are tables of TMDB, ``graph`` a knowledge graph."""

    ratings: str
    films: Sequence[str] = ()
    graph: str = ""

    @property
    def names(self) -> list[str]:
        """Of the files and folders, for a reader."""
        return [Path(place).name for place in (self.ratings, *self.films, self.graph) if place]


@dataclass(frozen=True)
class ScratchSite:
    """``environment`` is that of a process which works on the data; ``folder`` goes with it."""

    folder: Path
    environment: Mapping[str, str]


@contextmanager
def scratch_site(places: DataPlaces) -> Iterator[ScratchSite]:
    """The data, loaded; all is gone after the block.

    Raises ``InvalidInput`` with what an importer refused.
    """
    with TemporaryDirectory(prefix="marquee-data-") as folder:
        environment = env.for_child(
            DATABASE_URL=f"sqlite:///{Path(folder) / 'data.sqlite3'}",
            ARTIFACT_DIR=str(Path(folder) / "models"),
            # A site's folder of vectors keeps those of its own films alone: these would put them out.
            VECTOR_DIR=str(Path(folder) / "vectors"),
        )
        run_command(environment, "migrate", "--verbosity=0")
        run_command(environment, "load_movielens", places.ratings, "--json")
        for table in places.films:
            run_command(environment, "load_tmdb", table, "--json", "--skip-bad")
        if places.graph:
            run_command(environment, "load_knowledge_graph", places.graph, "--json")
        yield ScratchSite(Path(folder), environment)


def run_command(
    environment: Mapping[str, str], *words: str, hear: bool = False, seconds: float | None = None
) -> str:
    """What a command of ours printed. On a terminal ``hear`` lets its progress through.

    Raises ``InvalidInput`` with what it refused, and when it is stopped because it took longer than
    ``seconds``.
    """
    try:
        # Our own program; the words are arguments, and no shell reads them.
        ended = subprocess.run(  # noqa: S603
            [sys.executable, str(settings.BASE_DIR / "manage.py"), *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if hear and os.isatty(2) else subprocess.PIPE,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise InvalidInput(f"{words[0]} was stopped after {seconds:g} seconds.") from None
    if ended.returncode:
        last = (ended.stderr or f"{words[0]} failed").strip().rpartition("\n")[2]
        raise InvalidInput(last.removeprefix(_REFUSED))
    return ended.stdout
