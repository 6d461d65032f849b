"""The situation in which a slate is served, as one of 96 contexts.

Five parts, each with its values in a fixed order; a context's index is row-major over the parts in
the order of ``PARTS``, so the last part changes fastest. Order and values are part of stored data.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal, Self, get_args

import numpy as np

TimeOfDay = Literal["night", "morning", "afternoon", "evening"]
DayType = Literal["weekday", "weekend"]
UserSegment = Literal["cold", "regular", "power"]
GenreSaturation = Literal["low", "high"]
SessionPosition = Literal["early", "late"]

PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "time_of_day": get_args(TimeOfDay),
    "day_type": get_args(DayType),
    "user_segment": get_args(UserSegment),
    "genre_saturation": get_args(GenreSaturation),
    "session_position": get_args(SessionPosition),
}
CONTEXT_SIZES = tuple(len(values) for values in PARTS.values())
N_CONTEXTS = int(np.prod(CONTEXT_SIZES))
_INDICES = {values: index for index, values in enumerate(product(*PARTS.values()))}

REGULAR_FROM = 5
POWER_FROM = 50
SATURATION_WINDOW = 10
SATURATION_SHARE = 0.5
SATURATION_MIN_FILMS = 3
LATE_FROM = 3


@dataclass(frozen=True)
class Context:
    """One value of every part; an unknown value raises ``ValueError``."""

    time_of_day: TimeOfDay
    day_type: DayType
    user_segment: UserSegment
    genre_saturation: GenreSaturation
    session_position: SessionPosition

    def __post_init__(self) -> None:
        for part, values in PARTS.items():
            if getattr(self, part) not in values:
                raise ValueError(f"{part} must be one of {', '.join(values)}, not {getattr(self, part)!r}")

    @property
    def index(self) -> int:
        """0 to 95."""
        return _INDICES[
            self.time_of_day,
            self.day_type,
            self.user_segment,
            self.genre_saturation,
            self.session_position,
        ]

    @classmethod
    def from_index(cls, index: int) -> Self:
        """The context of that index; raises ``ValueError`` outside 0 to 95."""
        if not 0 <= index < N_CONTEXTS:
            raise ValueError(f"a context index lies between 0 and {N_CONTEXTS - 1}, not {index}")
        spots = np.unravel_index(index, CONTEXT_SIZES)
        values = {part: PARTS[part][int(spot)] for part, spot in zip(PARTS, spots, strict=True)}
        return cls(**values)  # type: ignore[arg-type]  # values come from the literals themselves

    def as_dict(self) -> dict[str, str]:
        return dict(self.__dict__)


def time_of_day(hour: int) -> TimeOfDay:
    """Night 0 to 5, morning 6 to 11, afternoon 12 to 17, evening 18 to 23, in the viewer's zone."""
    if not 0 <= hour <= 23:
        raise ValueError(f"an hour lies between 0 and 23, not {hour}")
    names: tuple[TimeOfDay, ...] = get_args(TimeOfDay)
    return names[hour // 6]


def day_type(weekday: int) -> DayType:
    """Monday is 0, as in ``datetime.weekday``; 5 and 6 are the weekend."""
    if not 0 <= weekday <= 6:
        raise ValueError(f"a weekday lies between 0 and 6, not {weekday}")
    return "weekend" if weekday >= 5 else "weekday"


def user_segment(n_ratings: int) -> UserSegment:
    """Cold below 5 ratings, power from 50."""
    if n_ratings < 0:
        raise ValueError(f"a number of ratings is not negative: {n_ratings}")
    if n_ratings < REGULAR_FROM:
        return "cold"
    return "power" if n_ratings >= POWER_FROM else "regular"


def genre_saturation(primary_genres: Sequence[int]) -> GenreSaturation:
    """High when one primary genre holds at least half of the last 10 films clicked or rated.

    ``primary_genres``, oldest first, is one entry per film, a film being listed once; only the last
    10 are read. A film without a genre (-1) counts as a film but not as a genre. Below 3 films it is
    low: a single film would always be "all of one genre".
    """
    recent = list(primary_genres)[-SATURATION_WINDOW:]
    if len(recent) < SATURATION_MIN_FILMS:
        return "low"
    most = max(Counter(genre for genre in recent if genre >= 0).values(), default=0)
    return "high" if most >= SATURATION_SHARE * len(recent) else "low"


def session_position(n_recent_slates: int) -> SessionPosition:
    """Early before the viewer's fourth for-you slate of the session.

    ``n_recent_slates`` counts those already served in this session, which ends after 30 idle
    minutes; the slate being built is not among them.
    """
    if n_recent_slates < 0:
        raise ValueError(f"a number of slates is not negative: {n_recent_slates}")
    return "late" if n_recent_slates >= LATE_FROM else "early"
