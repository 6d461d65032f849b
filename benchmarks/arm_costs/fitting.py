"""What fitting one arm costs, for ``benchmarks/arms.py``; the arm is kept for serving.

    python -m benchmarks.arm_costs.fitting DATA ARM MODELS

Prints JSON. In a process of its own, so that the peak is this arm's; of a composed arm it is what the arm
learns itself, with its parts taken from ``MODELS``.
"""

import gc
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from apps.algorithms.registry import make_arm
from benchmarks.arm_costs.data import load_interactions
from benchmarks.arm_costs.models import keep_arm, map_arms

SEED = 0


@dataclass(frozen=True)
class FitCost:
    """``cpu_seconds`` are of all threads; ``peak_mb`` is what came on top of the loaded data."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    artifact_mb: float


def fit_cost(data: Path, name: str, models: Path) -> FitCost:
    interactions = load_interactions(data)
    _load_implicit()
    arm = make_arm(name)
    arm.link(map_arms(models, arm.needs))
    before = _forget_peak()
    began, cpu_began = time.perf_counter(), time.process_time()
    # What ``fit`` does, without fitting the parts.
    arm.learn(interactions, np.random.default_rng(SEED))
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    peak_mb = _memory_mb("VmHWM") - before
    keep_arm(models, arm)
    n_bytes = sum(array.nbytes for array in arm.arrays().values())
    return FitCost(seconds, cpu_seconds, peak_mb, n_bytes / 1e6)


def _load_implicit() -> None:
    """Its code is no arm's memory."""
    import implicit.cpu.als
    import implicit.nearest_neighbours  # noqa: F401


def _forget_peak() -> float:
    """What the process holds now; its peak counts from here. ``ru_maxrss`` cannot forget."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    return _memory_mb("VmRSS")


def _memory_mb(line: str) -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{line}:")[2].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    print(json.dumps(asdict(fit_cost(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))))
