"""What a version, or a changed recipe, has to reach before it serves."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Way = Literal["at least", "above", "at most"]

_PASSES: Mapping[Way, Callable[[float, float], bool]] = {
    "at least": lambda figure, limit: figure >= limit,
    "above": lambda figure, limit: figure > limit,
    "at most": lambda figure, limit: figure <= limit,
}
_FAILS: Mapping[Way, str] = {"at least": "less than", "above": "not above", "at most": "more than"}


@dataclass(frozen=True)
class Check:
    """``figure`` had to reach ``limit``, in the ``way`` named. Both are whole numbers where it counts."""

    name: str
    figure: float
    limit: float
    way: Way = "at least"

    @property
    def passed(self) -> bool:
        return _PASSES[self.way](self.figure, self.limit)

    @property
    def told_figure(self) -> str:
        return _told(self.figure)

    @property
    def told_limit(self) -> str:
        return f"{self.way} {_told(self.limit)}"

    @property
    def verdict(self) -> str:
        return "passed" if self.passed else "failed"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "passed": self.passed}

    def __str__(self) -> str:
        counts = isinstance(self.figure, int)
        fails = "fewer than" if counts and self.way == "at least" else _FAILS[self.way]
        return f"{self.name} {'are' if counts else 'is'} {_told(self.figure)}, {fails} {_told(self.limit)}"


def read_checks(rows: Iterable[Mapping[str, Any]]) -> list[Check]:
    """The checks that ``as_json`` left; of rows from before there were ways, at least was meant."""
    return [Check(row["name"], row["figure"], row["limit"], row.get("way", "at least")) for row in rows]


def failed_among(checks: Sequence[Check]) -> str:
    """Those that failed, in words; empty when all are passed."""
    return "; ".join(str(check) for check in checks if not check.passed)


def _told(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
