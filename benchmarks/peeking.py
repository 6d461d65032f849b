"""How often a rule alarms on nothing when an experiment is looked at every day, and what it finds.

    python benchmarks/peeking.py [--tests 2000] [--only nothing effect guardrails]

All traffic is simulated. Thirty daily looks at two groups that grow each day. *Planned* are group-sequential
bounds (spending t^3) for a horizon of 30 days, *any time* is the always-valid interval tuned at two thirds of
the units planned for that horizon, *by plan* the one aimed at that plan, which holds at any time too, and
*naive* reads a plain p below .05 at every look, as dashboards do. Prints Markdown, with each mark met or
missed; a share of 2,000 tests has a standard error of .5 points at 5 % and 1.1 at 44 %.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from apps.algorithms.statistics import (
    Counts,
    Effect,
    RatioSample,
    Sample,
    always_valid,
    always_valid_by_plan,
    group_sequential_bounds,
    ratio,
    welch,
)
from apps.algorithms.statistics.samples import quantile
from apps.algorithms.types import Float64

DAYS = 30
ALPHA = 0.05
GUARDRAILS = (0.10, 0.20, 0.40)
FALL = 0.15
"""Of a guardrail, relative, that a rollback takes at least; see the design's section 6."""

Summed = Counts | Sample | RatioSample
Looks = list[tuple[Summed, Summed]]
"""Control and treatment as they stand at the end of each day."""


def new_units(rng: np.random.Generator, rate: float, a_day: int, lift: float = 0.0) -> Looks:
    """Units that come once, and are a success or not."""
    n = np.arange(1, DAYS + 1) * a_day
    sums = [rng.binomial(a_day, p, DAYS).cumsum() for p in (rate, rate * (1 + lift))]
    return [(Counts(one, units), Counts(two, units)) for one, two, units in zip(*sums, n, strict=True)]


def minutes(rng: np.random.Generator, a_day: int = 100) -> Looks:
    """Units that come once, and stay for a lognormal time: few of them hold much of the sum."""
    groups = []
    for _ in range(2):
        values = rng.lognormal(2.0, 1.2, (DAYS, a_day))
        groups.append((values.sum(axis=1).cumsum(), (values**2).sum(axis=1).cumsum()))
    return [
        (
            Sample((day + 1) * a_day, groups[0][0][day], groups[0][1][day]),
            Sample((day + 1) * a_day, groups[1][0][day], groups[1][1][day]),
        )
        for day in range(DAYS)
    ]


def returning(rng: np.random.Generator, a_day: int = 40, comes_back: float = 0.25) -> Looks:
    """Units that come back: films shown and clicks of each grow between looks. Clicks over films shown."""
    return [
        (one, two)
        for one, two in zip(
            _returning(rng, a_day, comes_back), _returning(rng, a_day, comes_back), strict=True
        )
    ]


def _returning(rng: np.random.Generator, a_day: int, comes_back: float) -> list[RatioSample]:
    n = DAYS * a_day
    first = np.repeat(np.arange(DAYS), a_day)
    rates = rng.beta(1, 9, n)
    shown, clicked, looks = np.zeros(n), np.zeros(n), []
    for day in range(DAYS):
        there = (first == day) | ((first < day) & (rng.random(n) < comes_back))
        films = np.where(there, 12 * rng.geometric(0.5, n), 0)
        shown += films
        clicked += rng.binomial(films, rates)
        seen = first <= day
        looks.append(_ratio_of(clicked[seen], shown[seen]))
    return looks


def _ratio_of(num: Float64, den: Float64) -> RatioSample:
    return RatioSample(len(num), num.sum(), (num**2).sum(), den.sum(), (den**2).sum(), (num * den).sum())


SETTINGS: dict[str, Callable[[np.random.Generator], Looks]] = {
    "10 %, 200 new units a group and day": partial(new_units, rate=0.10, a_day=200),
    "3 %, 20": partial(new_units, rate=0.03, a_day=20),
    "30 %, 5": partial(new_units, rate=0.30, a_day=5),
    "lognormal minutes, 100": minutes,
    "clicks over films of 40 new units, who return": returning,
}


def fixed(control: Summed, treatment: Summed) -> Effect:
    """The test for one look."""
    if isinstance(control, Counts) and isinstance(treatment, Counts):
        return ratio(_units(control), _units(treatment))
    if isinstance(control, Sample) and isinstance(treatment, Sample):
        return welch(control, treatment)
    if isinstance(control, RatioSample) and isinstance(treatment, RatioSample):
        return ratio(control, treatment)
    raise TypeError("groups of two kinds")


def _units(counts: Counts) -> RatioSample:
    return RatioSample(counts.n, counts.successes, counts.successes, counts.n, counts.n, counts.successes)


RULES = ("planned", "any time", "by plan", "naive", "one look")
Told = tuple[bool, bool, bool, bool, bool]
"""Whether each of ``RULES`` told an effect on any day; *one look* is the plain test on the last."""


def fired(looks: Looks) -> Told:
    planned = anytime = by_plan = naive = last = False
    units = sum(_n(group) for group in looks[-1])
    for bound, (control, treatment) in zip(_bounds(), looks, strict=True):
        effect = fixed(control, treatment)
        last = _is_told(effect)
        planned |= effect.p_value is not None and effect.p_value < 1 and _z(effect) >= bound
        anytime |= _is_told(always_valid(control, treatment, ALPHA, tuning=units * 2 / 3))
        by_plan |= _is_told(always_valid_by_plan(control, treatment, planned=units, alpha=ALPHA))
        naive |= last
    return planned, anytime, by_plan, naive, last


@cache
def _bounds() -> list[float]:
    return group_sequential_bounds([(day + 1) / DAYS for day in range(DAYS)], ALPHA)


def _n(group: Summed) -> float:
    return group.n_users if isinstance(group, RatioSample) else group.n


def _is_told(effect: Effect) -> bool:
    return effect.p_value is not None and effect.p_value < ALPHA


def _z(effect: Effect) -> float:
    """The p-value as a distance from 0 of the normal distribution."""
    return quantile(max(effect.p_value or 0.0, 1e-300))


def _of_setting(name: str, seed: int) -> Told:
    return fired(SETTINGS[name](np.random.default_rng(seed)))


def _of_lift(lift: float, seed: int) -> Told:
    return fired(new_units(np.random.default_rng(seed), 0.10, 200, lift))


def rolled_back(lift: float, seed: int) -> tuple[int | None, int | None]:
    """The day, from 1, on which the rule and a bare one roll back; None for never.

    The rule: a guardrail fell by more than ``FALL`` and its always-valid interval, at alpha over the number
    of guardrails, leaves 0 out. The bare one asks for the fall alone.
    """
    rng = np.random.default_rng(seed)
    rails = [new_units(rng, rate, 200, lift) for rate in GUARDRAILS]
    rule = bare = None
    for day in range(DAYS):
        for looks in rails:
            effect = always_valid(*looks[day], ALPHA / len(GUARDRAILS))
            if effect.rel_lift is None or effect.ci is None or effect.rel_lift >= -FALL:
                continue
            bare = bare or day + 1
            if effect.ci[1] < 0:
                rule = rule or day + 1
    return rule, bare


def _met(condition: bool | np.bool) -> str:
    return "met" if condition else "missed"


def _header(*names: str) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"


def nothing(pool: ProcessPoolExecutor, tests: int) -> Iterator[str]:
    yield from _header("no effect", *RULES, "marks")
    for name in SETTINGS:
        found = np.array(list(pool.map(partial(_of_setting, name), range(tests), chunksize=25)))
        shares = found.mean(axis=0)
        planned, anytime, by_plan, _, last = shares
        marks = [f"planned ≤ 6 %: {_met(planned <= 0.06)}"]
        marks.append(f"any time and by plan ≤ 5 %: {_met(max(anytime, by_plan) <= 0.05)}")
        if name.startswith("clicks"):
            marks.append(f"one look ≤ 6 %: {_met(last <= 0.06)}")
        yield f"| {name} | {_percent(shares)} | {', '.join(marks)} |"


def effect(pool: ProcessPoolExecutor, tests: int) -> Iterator[str]:
    yield from _header("10 %, 200 a group and day", *RULES, "marks")
    found = np.array(list(pool.map(partial(_of_lift, 0.15), range(tests), chunksize=25)))
    shares = found.mean(axis=0)
    marks = [f"planned ≥ 70 %: {_met(shares[0] >= 0.70)}"]
    marks += [
        f"{name} ≥ 44 %: {_met(share >= 0.44)}" for name, share in zip(RULES[1:3], shares[1:3], strict=True)
    ]
    yield f"| +15 %, found | {_percent(shares)} | {', '.join(marks)} |"


def _percent(shares: Iterable[float | np.floating]) -> str:
    return " | ".join(f"{share:.1%}" for share in shares)


def guardrails(pool: ProcessPoolExecutor, tests: int) -> Iterator[str]:
    yield from _header(
        "three guardrails", "rolled back", "by day 7", "bare rule", "bare rule by day 7", "mark"
    )
    for lift in (0.0, -0.25):
        found = list(pool.map(partial(rolled_back, lift), range(tests), chunksize=25))
        shares = [
            np.mean([(days[column] or DAYS + 1) <= until for days in found])
            for column in (0, 1)
            for until in (DAYS, 7)
        ]
        mark = (
            f"≤ 5 %: {_met(shares[0] <= 0.05)}"
            if lift == 0
            else f"by day 7 ≥ 99 %: {_met(shares[1] >= 0.99)}"
        )
        name = "nothing changed" if lift == 0 else "all three fell by 25 %"
        yield f"| {name} | {_percent(shares)} | {mark} |"


def main() -> None:
    parts = {"nothing": nothing, "effect": effect, "guardrails": guardrails}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tests", type=int, default=2000, help="tests of each kind (default: 2000)")
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    options = parser.parse_args()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for part in options.only:
            for line in parts[part](pool, options.tests):
                print(line, flush=True)
            print()


if __name__ == "__main__":
    main()
