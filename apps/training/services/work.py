"""What a run carries from its beginning to its end."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from apps.training.models import TrainingRun
from apps.training.services.runs import enter_phase

logger = logging.getLogger(__name__)

Progress = Callable[[str], None]
"""Told the name of each step as it begins."""


@dataclass
class Work:
    """A run, how long each of its steps took, in seconds, and what it had to do without."""

    run: TrainingRun
    progress: Progress
    n_steps: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.perf_counter)
    _since: float = 0.0
    _step: str = ""

    @property
    def elapsed(self) -> float:
        """Seconds since the run was taken up here."""
        return round(time.perf_counter() - self.began, 3)

    def begin(self, step: str) -> None:
        self.finish()
        enter_phase(
            run=self.run, phase=step, steps=self.seconds, n_steps=self.n_steps, warnings=self.warnings
        )
        self.progress(step)
        self._step, self._since = step, time.perf_counter()

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)
        logger.warning("run_warning run=%s warning=%s", self.run.pk, sentence)

    def finish(self) -> None:
        if self._step:
            spent = time.perf_counter() - self._since
            self.seconds[self._step] = round(self.seconds.get(self._step, 0.0) + spent, 3)
            self._step = ""
