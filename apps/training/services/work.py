"""What a run carries from its beginning to its end."""

import logging
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from apps.training.models import TrainingRun
from apps.training.services.runs import enter_phase

logger = logging.getLogger(__name__)

Progress = Callable[[str], None]
"""Told the name of each step as it begins."""


@dataclass
class Work:
    """A run, how long each of its steps took, in seconds, what it had to do without, and its log.

    What the run says is on its page with the step that begins next, in the database by the same UPDATE.
    """

    run: TrainingRun
    progress: Progress
    n_steps: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    log: list[dict[str, float | str]] = field(default_factory=list)
    began: float = field(default_factory=time.perf_counter)
    _since: float = 0.0
    _step: str = ""

    @property
    def elapsed(self) -> float:
        """Seconds since the run was taken up here."""
        return round(time.perf_counter() - self.began, 3)

    @property
    def told(self) -> dict[str, Any]:
        """What the run's row holds of it."""
        return {
            "steps": self.seconds,
            "n_steps": self.n_steps,
            "warnings": self.warnings,
            "log": self.log,
        }

    def begin(self, step: str) -> None:
        self.finish()
        enter_phase(run=self.run, phase=step, **self.told)
        self.progress(step)
        self._step, self._since = step, time.perf_counter()

    def say(self, sentence: str) -> None:
        """For the run's page. Beside it only those who debug read it: a progress bar stays whole."""
        self._note(sentence)
        logger.debug("run_says run=%s sentence=%s", self.run.pk, sentence)

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)
        self._note(sentence)
        logger.warning("run_warning run=%s warning=%s", self.run.pk, sentence)

    def _note(self, line: str) -> None:
        self.log.append({"second": self.elapsed, "line": line})

    def say_memory(self) -> None:
        """The process's highest resident memory so far, in MB of 1e6 bytes."""
        # In KB on Linux, in bytes on macOS.
        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
        self.say(f"The process took {peak:,.0f} MB of memory at its highest.")

    def finish(self) -> None:
        if self._step:
            spent = time.perf_counter() - self._since
            self.seconds[self._step] = round(self.seconds.get(self._step, 0.0) + spent, 3)
            self.say(f"{self._step}: {spent:.2f} s.")
            self._step = ""
