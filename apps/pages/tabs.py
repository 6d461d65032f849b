"""Pages that belong together, as a row of plain links."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tab:
    """``count`` None shows no number."""

    name: str
    href: str
    is_here: bool
    count: int | None = None
