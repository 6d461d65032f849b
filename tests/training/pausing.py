"""A fit of another process that waits at a step, so that a test can kill it there."""

import os
import time
from pathlib import Path

from django.apps import AppConfig


class Pausing(AppConfig):
    """Fits wait at the beginning of the step ``PAUSE_AT`` for as long as the file ``PAUSE_WHILE`` exists."""

    name = "tests.training"
    label = "pausing"
    path = str(Path(__file__).parent)

    def ready(self) -> None:
        from apps.training.services.work import Work

        begin = Work.begin

        def begin_and_wait(work: Work, step: str) -> None:
            begin(work, step)
            while step == os.environ.get("PAUSE_AT") and Path(os.environ["PAUSE_WHILE"]).exists():
                time.sleep(0.02)

        Work.begin = begin_and_wait  # type: ignore[method-assign]
