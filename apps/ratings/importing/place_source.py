"""What the layouts of files have in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Set
from typing import ClassVar

from apps.core.importing.bad_lines import BadLines
from apps.core.importing.places import Place
from apps.ratings.importing.records import FilmLine, LinkLine, PersonLine, RatingLine, TagLine


class PlaceSource(ABC):
    """A data set in a folder or zip. Subclasses name their files and read what their layout has."""

    film_keys = ""
    films_file = links_file = people_file = ratings_file = tags_file = ""
    # The set is of this layout when all of these are there; for a person to read, too.
    needed: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, place: Place, name: str) -> None:
        self.place = place
        self.name = name
        self.held = place.names()

    @classmethod
    def fits(cls, names: Set[str]) -> bool:
        """Whether a place with files of these names has this layout."""
        return names >= cls.needed

    @property
    def ignored(self) -> list[str]:
        """Files that are there and not read, what is said about the data left out."""
        read = {self.films_file, self.links_file, self.people_file, self.ratings_file, self.tags_file}
        others = self.held - read
        return sorted(name for name in others if not name.upper().startswith("README"))

    @abstractmethod
    def films(self, bad: BadLines) -> Iterator[FilmLine]: ...

    @abstractmethod
    def ratings(self, bad: BadLines) -> Iterator[RatingLine]: ...

    def links(self, bad: BadLines) -> Iterator[LinkLine]:
        yield from ()

    def people(self, bad: BadLines) -> Iterator[PersonLine]:
        yield from ()

    def tags(self, bad: BadLines) -> Iterator[TagLine]:
        yield from ()
