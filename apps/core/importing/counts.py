"""What an import changed, in numbers and in a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass

NOTHING_CHANGED = "nothing changed: all of it was there already"


@dataclass(frozen=True)
class Upserted:
    new: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: "Upserted") -> "Upserted":
        return Upserted(self.new + other.new, self.updated + other.updated, self.unchanged + other.unchanged)


def sentence(parts: Mapping[str, Upserted]) -> str:
    """ "new: films 3, ratings 4; updated: films 1"; or that nothing changed."""
    said = []
    for what in ("new", "updated"):
        numbers = {name: getattr(counts, what) for name, counts in parts.items()}
        if any(numbers.values()):
            said.append(
                f"{what}: " + ", ".join(f"{name} {number}" for name, number in numbers.items() if number)
            )
    return "; ".join(said) or NOTHING_CHANGED
