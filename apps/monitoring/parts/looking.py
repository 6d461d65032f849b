"""Looking at parts side by side, none of them waited for longer than agreed."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.db import connections

from apps.monitoring.parts.part import Part, problem

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """Gives the parts of ``names``, one after the other; may hang or raise at any of them."""

    names: tuple[str, ...]
    run: Callable[[], Iterator[Part]]


class _Running:
    """One look in a thread of its own, with its own connection to the database."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.found: dict[str, Part] = {}
        self.thread = threading.Thread(target=self._run, name=f"look-{look.names[0]}", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            for part in self.look.run():
                self.found[part.name] = part
        except Exception as error:  # whatever is broken, the others are told of
            logger.exception("look_failed names=%s", ",".join(self.look.names))
            for name in self.look.names:
                broken = problem(name, f"cannot be looked at ({type(error).__name__}): the log says why")
                self.found.setdefault(name, broken)
        finally:
            connections.close_all()


# A look that hangs keeps its thread, so it is not begun again before it ends.
_hanging: dict[tuple[str, ...], _Running] = {}


def look_at(looks: Sequence[Look], *, seconds: float) -> list[Part]:
    """The parts in the order of ``looks``, after at most ``seconds``; a part that did not answer by then
    is a problem that says so.
    """
    deadline = time.monotonic() + seconds
    running = [_begin(look) for look in looks]
    return [part for each in running for part in _await(each, deadline, seconds)]


def _begin(look: Look) -> _Running:
    before = _hanging.get(look.names)
    return before if before and before.thread.is_alive() else _Running(look)


def _await(running: _Running, deadline: float, seconds: float) -> Iterator[Part]:
    running.thread.join(max(0.0, deadline - time.monotonic()))
    names = running.look.names
    if running.thread.is_alive():
        _hanging[names] = running
    else:
        _hanging.pop(names, None)
    silent = f"does not answer within {seconds:g} seconds"
    # What came in time; a look that hangs still adds to it.
    found = dict(running.found)
    for name in names:
        if name in found or running.thread.is_alive():
            yield found.get(name) or problem(name, silent)
