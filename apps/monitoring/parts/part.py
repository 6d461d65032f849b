"""One part of the installation, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Part:
    """``says`` is a sentence for an operator, with what to do when the state is not ok; it holds no
    secret, no address and no path, since anybody may read ``/readyz``. ``facts`` are for programs.
    """

    name: str
    state: State
    says: str
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        return self.state is State.OK


def ok(name: str, says: str, **facts: object) -> Part:
    return Part(name, State.OK, says, facts)


def warning(name: str, says: str, **facts: object) -> Part:
    return Part(name, State.WARNING, says, facts)


def problem(name: str, says: str, **facts: object) -> Part:
    return Part(name, State.PROBLEM, says, facts)
