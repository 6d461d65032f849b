"""What a file says of a film beside what the viewer has said already. No query here."""

from dataclasses import dataclass
from datetime import datetime

from apps.ratings.models import Import, ImportRow

Status = ImportRow.Status


@dataclass(frozen=True)
class Said:
    """What the viewer said last of a film, be it that they took it back, and when."""

    state: float | None
    at: datetime


def compare(state: float | None, own: Said | None) -> ImportRow.Status:
    """A viewer who took a rating back has said something, too: a file that has it is in conflict."""
    if own is None:
        return Status.NEW
    return Status.UNCHANGED if own.state == state else Status.CONFLICT


def takes_file(rule: str, *, at: datetime | None, own: Said) -> bool:
    """Whether a conflict is decided for the file. What has no date is never the newer."""
    if rule == Import.Rule.NEWER:
        return at is not None and at > own.at
    return rule == Import.Rule.FILE
