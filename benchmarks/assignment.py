"""Whether units are assigned as experiments say, the same everywhere, and how fast.

    python benchmarks/assignment.py
    python benchmarks/assignment.py --units 100000

Units are made up, a UUID each, and always the same; so are the salts of everything but the experiment that is
read from databases, which are of the run's own and gone after it. A bound with a false-alarm chance is one
that chance alone would break so often.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from math import sqrt
from pathlib import Path
from uuid import UUID

import numpy as np
from scipy.stats import chi2_contingency, chisquare, norm

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from apps.experiments.assigning import Attributes, Kind, Placement, Running, place  # noqa: E402 - the path above
from benchmarks.databases import own_database  # noqa: E402 - comes first

DATABASE, SETTINGS = "marquee_assignment", "recommender_site.settings.dev"
FALSE_ALARM = 1e-6
"""The chance that a bound is broken without a fault, of each that is printed."""
WEIGHTS = ({"a": 0.5, "b": 0.5}, {"a": 0.9, "b": 0.1}, {"a": 0.2, "b": 0.3, "c": 0.5})
COVERAGES = (0.1, 0.25, 0.5, 1.0)
BUCKETS = 20
SAMPLE, TIMED, ROUNDS = 20_000, 20_000, 5
NOBODY = Attributes()


def main() -> None:
    options = _options()
    if options.role:
        print(json.dumps({"digest": _digest_here, "stored": _digest_stored, "time": _time}[options.role]()))
        return
    print("| what | measured | bound | mark |\n|---|---|---|---|", flush=True)
    units = list(_units(options.units))
    for rows in (_share_rows(units), _coverage_rows(units), _layer_rows(units), _same_rows(options)):
        for row in rows:
            print(f"| {' | '.join(row)} |", flush=True)
    _print_speed(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--units", type=int, default=1_000_000)
    parser.add_argument("--postgres", default="postgres://postgres@127.0.0.1:5432", help="without a database")
    parser.add_argument("--role", choices=("digest", "stored", "time"), help=argparse.SUPPRESS)
    return parser.parse_args()


def _units(n: int) -> Iterator[str]:
    keys = np.random.default_rng(1).bytes(16 * n)
    return (str(UUID(bytes=keys[16 * unit : 16 * unit + 16])) for unit in range(n))


def _running(key: str, weights: Mapping[str, float], coverage: float = 1.0) -> Running:
    kind: Kind = "recipe" if key == "recipe" else "strategy"
    return Running(
        key=key,
        kind=kind,
        phase=1,
        layer_salt=f"layer-{kind}",
        start=0.0,
        end=1.0,
        coverage_salt=f"coverage-{key}",
        coverage=coverage,
        split_salt=f"split-{key}",
        weights=weights,
    )


# --- Shares, coverage, layers --------------------------------------------------------------------


def _share_rows(units: Sequence[str]) -> Iterator[Sequence[str]]:
    """Each variant's share beside its weight, in standard errors of a binomial."""
    bound = float(norm.isf(FALSE_ALARM / 2))
    for weights in WEIGHTS:
        experiment = _running("shares", weights)
        counts = Counter(place(unit, NOBODY, [experiment])[0].variant for unit in units)
        for name, weight in weights.items():
            z = (counts[name] - weight * len(units)) / sqrt(len(units) * weight * (1 - weight))
            what = f"share of {name} at {' / '.join(map(str, weights.values()))}"
            said = f"{counts[name] / len(units):.5f}, z {z:+.2f}"
            yield what, said, f"z within ±{bound:.2f} ({FALSE_ALARM:.0e})", _mark(abs(z) < bound)


def _coverage_rows(units: Sequence[str]) -> Iterator[Sequence[str]]:
    bound = float(norm.isf(FALSE_ALARM / 2))
    n_moved, n_lost = 0, 0
    before: list[str | None] = [None] * len(units)
    for coverage in COVERAGES:
        experiment = _running("coverage", WEIGHTS[2], coverage)
        now = [place(unit, NOBODY, [experiment])[0].variant for unit in units]
        n_moved += sum(
            was is not None and is_ not in (was, None) for was, is_ in zip(before, now, strict=True)
        )
        n_lost += sum(was is not None and is_ is None for was, is_ in zip(before, now, strict=True))
        before = now
        share, error = 1 - now.count(None) / len(units), sqrt(coverage * (1 - coverage) / len(units))
        z = (share - coverage) / error if error else 0.0
        is_met = abs(z) < bound and (coverage < 1 or share == 1)
        said = f"z within ±{bound:.2f} ({FALSE_ALARM:.0e})" if coverage < 1 else "all"
        yield f"covered at {coverage:.0%}", f"{share:.5f}, z {z:+.2f}", said, _mark(is_met)
    grown = f"{COVERAGES[0]:.0%} to {COVERAGES[-1]:.0%}"
    yield f"moved to another variant, {grown}", f"{n_moved:,}", "0", _mark(not n_moved)
    yield f"left while it grew, {grown}", f"{n_lost:,}", "0", _mark(not n_lost)


def _layer_rows(units: Sequence[str]) -> Iterator[Sequence[str]]:
    """Of an experiment in each layer; and who gets what within one beside who is covered by it."""
    experiments = [_running("strategy", WEIGHTS[2]), _running("recipe", WEIGHTS[1])]
    placed = [_seen(*place(unit, NOBODY, experiments)) for unit in units]
    pairs = {
        "variants of two layers": (0, 1),
        "buckets of two layers": (2, 3),
        "coverage and split of one": (4, 5),
    }
    for what, (row, column) in pairs.items():
        found = chi2_contingency(_table(Counter((one[row], one[column]) for one in placed)), correction=False)
        said = f"chi² {found.statistic:.1f} of {found.dof} degrees, p {found.pvalue:.3f}"
        yield what, said, f"p > {FALSE_ALARM:.0e}", _mark(bool(found.pvalue > FALSE_ALARM))
    even = chisquare(list(Counter(one[2] for one in placed).values()))
    said = f"chi² {even.statistic:.1f} of {BUCKETS - 1} degrees, p {even.pvalue:.3f}"
    yield "buckets of a layer, even", said, f"p > {FALSE_ALARM:.0e}", _mark(bool(even.pvalue > FALSE_ALARM))


def _seen(one: Placement, other: Placement) -> tuple[str | int | None, ...]:
    """Variants, and steps of the layers' buckets, by layer; then of the first's coverage and split."""
    buckets = one.layer_bucket, other.layer_bucket, one.coverage_bucket, one.split_bucket
    return one.variant, other.variant, *map(_step, buckets)


def _step(bucket: float) -> int:
    return min(int(bucket * BUCKETS), BUCKETS - 1)


def _table(counts: Mapping[tuple[object, object], int]) -> list[list[int]]:
    rows, columns = sorted({one for one, _ in counts}, key=str), sorted({two for _, two in counts}, key=str)
    return [[counts[row, column] for column in columns] for row in rows]


# --- The same everywhere -------------------------------------------------------------------------


def _same_rows(options: argparse.Namespace) -> Iterator[Sequence[str]]:
    """One experiment with fixed salts, by the pure function and as services read it from two databases."""
    here = _digest_here()
    found = {"another process": json.loads(_run("digest", {"PYTHONHASHSEED": "12345"}))}
    for kind in ("sqlite", "postgresql"):
        with own_database(kind, DATABASE, server=options.postgres, settings=SETTINGS) as environment:
            _migrate(environment)
            found[f"services on {kind}"] = json.loads(_run("stored", environment))
    for what, digest in found.items():
        yield f"{SAMPLE:,} units: this process and {what}", digest[:12], here[:12], _mark(digest == here)


def _digest_here() -> str:
    experiment = _running("stored", WEIGHTS[2], coverage=0.5)
    return _digest(lambda unit: place(unit, NOBODY, [experiment])[0].variant)


def _digest_stored() -> str:
    """What ``assign`` says, read from the database with the salts of ``_digest_here``."""
    _set_up()
    from apps.experiments.services import assign

    _store(["stored"], WEIGHTS[2], coverage=0.5)
    return _digest(lambda unit: next((one.variant for one in assign(UUID(unit)).served), None))


def _digest(variant_of: Callable[[str], str | None]) -> str:
    return sha256(json.dumps([variant_of(unit) for unit in _units(SAMPLE)]).encode()).hexdigest()


def _store(keys: Sequence[str], weights: Mapping[str, float], coverage: float) -> None:
    """Running experiments that share the layer out; salts are as in ``_running``."""
    from apps.accounts.models import User
    from apps.experiments.models import Decision, Experiment, Layer, Phase
    from apps.experiments.services import Design, VariantDesign, create_experiment
    from apps.experiments.services.phases import begin_phase

    by = User.objects.create_user("staff", password=None)
    Layer.objects.filter(pk="strategy").update(salt="layer-strategy")
    variants = tuple(
        VariantDesign(name, weight, is_control=name == "a", strategy={"policy": "fixed", "arms": {arm: 1.0}})
        for (name, weight), arm in zip(weights.items(), ("hybrid", "popular", "svd"), strict=False)
    )
    for number, key in enumerate(keys):
        start, end = number / len(keys), (number + 1) / len(keys)
        design = Design(
            key=key, name=key, layer="strategy", variants=variants, range_start=start, range_end=end
        )
        experiment = create_experiment(design=replace(design, ramp=({"coverage": coverage},)), by=by)
        Experiment.objects.filter(pk=key).update(state="running", coverage_salt=f"coverage-{key}")
        phase = begin_phase(experiment, by=by, reason="a benchmark", kind=Decision.Kind.START)
        Phase.objects.filter(pk=phase.pk).update(split_salt=f"split-{key}")


# --- Speed ---------------------------------------------------------------------------------------


def _print_speed(options: argparse.Namespace) -> None:
    with own_database("sqlite", DATABASE, server=options.postgres, settings=SETTINGS) as environment:
        _migrate(environment)
        rates = json.loads(_run("time", environment))
    print(f"\nAssignments a second, median of {ROUNDS} rounds of {TIMED:,} (of processor time):\n")
    print("| experiments that run | `place` | `assign`, caches warm |\n|---|---|---|")
    for n_running, (pure, served) in rates.items():
        print(f"| {n_running} | {pure} | {served} |")


def _place_all(units: Sequence[str], runnings: Sequence[Running]) -> None:
    for unit in units:
        place(unit, NOBODY, runnings)


def _time() -> dict[int, tuple[str, str]]:
    _set_up()
    from apps.experiments.models import Experiment
    from apps.experiments.running import forget_field, read_field
    from apps.experiments.services import assign

    units, found = list(_units(TIMED)), {}
    keys = [UUID(unit) for unit in units]
    _store([f"timed-{number}" for number in range(4)], WEIGHTS[0], coverage=1.0)
    for n_running in (0, 1, 4):
        names = [f"timed-{number}" for number in range(n_running)]
        Experiment.objects.update(state="paused")
        Experiment.objects.filter(pk__in=names).update(state="running")
        forget_field()
        runnings = read_field().runnings
        pure = _rate(partial(_place_all, units, runnings))
        found[n_running] = pure, _rate(lambda: [assign(key) for key in keys])
    return found


def _rate(run: Callable[[], object]) -> str:
    walls, owns = [], []
    run()
    for _ in range(ROUNDS):
        wall, own = time.perf_counter(), time.process_time()
        run()
        walls.append(TIMED / (time.perf_counter() - wall))
        owns.append(TIMED / (time.process_time() - own))
    return f"{np.median(walls):,.0f} ({np.median(owns):,.0f})"


# --- Processes -----------------------------------------------------------------------------------


def _migrate(environment: Mapping[str, str]) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"], env=dict(environment), cwd=ROOT, check=True
    )


def _run(role: str, environment: Mapping[str, str]) -> str:
    words = [sys.executable, __file__, "--role", role]
    done = subprocess.run(words, env=dict(environment), cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{role} failed:\n{done.stderr}")
    return done.stdout


def _set_up() -> None:
    import django

    django.setup()


def _mark(is_met: bool) -> str:
    return "met" if is_met else "missed"


if __name__ == "__main__":
    main()
