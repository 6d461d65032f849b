"""A useless recipe on its way to everybody: refused by the gate, forced past it, rolled back by a guardrail.

    python benchmarks/bad_recipe.py                          a small site and a large one, on SQLite
    python benchmarks/bad_recipe.py --database postgresql --sites large --without novelty

The demo's ratings. Of a third of the people half of what each rated is held back before anything is fitted;
simulated viewers have the tastes of these: a part of the other half is their history, and they like a film
mostly where it has four stars or more in the half held back (``apps/recommendations/publics.py``). They come
by a simulated clock, their lists are made and their answers taken by the site's own services, and each
simulated hour it is counted, watched and followed as beat has it done every few minutes. Beside the useless
recipe goes one that equals the standard one, over the same traffic. All that is said of traffic is
**simulated**.
"""

import argparse
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.databases import load_demo, own_database  # noqa: E402 - the path above comes first

SETTINGS, DATABASE = "recommender_site.settings.dev", "marquee_bad_recipe"
SHUFFLED, EQUAL = "shuffled", "equal"
START = datetime(2026, 3, 2, tzinfo=UTC)
APART = timedelta(days=40)
"""Between two runs: what a rollout reads of the site's log is of two weeks."""
UNITS_AFTER = 1_000
PEOPLE = 1 / 3
"""Of those of the data, whose tastes are played: with half of everybody's ratings held back too few are left
for the standard recipe to be better than popularity, and the gate refuses its equal too."""
SITES = ("small", "large", "measured")
DRILL = "A drill: simulated traffic alone"


@dataclass(frozen=True)
class Run:
    """``visitors_before`` is how many may come on the day before, so that the site's size is known."""

    name: str
    recipe: str
    viewers: int
    days: int
    seed: int = 1
    visitors_before: int = 0


SMALL = Run("small site", SHUFFLED, viewers=600, days=9)
LARGE = Run("large site", SHUFFLED, viewers=3_000, days=4)
MEASURED = replace(LARGE, name="large site, its size known", visitors_before=7_500)


def main() -> None:
    options = _options()
    if options.measure:
        for line in _report(options):
            print(line, flush=True)
        return
    with own_database(options.database, DATABASE, server=options.server, settings=SETTINGS) as own:
        environment = load_demo(own) | {"AUTO_UPDATE": "false"}
        subprocess.run([sys.executable, *sys.argv, "--measure"], env=environment, cwd=ROOT, check=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--server", default="postgres://postgres@127.0.0.1:5432")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], help="of the small site")
    parser.add_argument("--sites", nargs="+", choices=SITES, default=SITES, help="which (default: all)")
    parser.add_argument("--without", nargs="+", default=[], help="guardrails that are left out")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _report(options: argparse.Namespace) -> Iterator[str]:
    import django

    django.setup()
    import numpy as np

    from apps.experiments.metrics import default_guardrails
    from apps.recommendations.publics import tastes_of_raters
    from apps.training.services import staging

    left = {name: of for name, of in default_guardrails().items() if name not in options.without}
    vars(staging)["default_guardrails"] = lambda: dict(left)
    tastes = tastes_of_raters(np.random.default_rng(1), share=PEOPLE)
    yield f"{_hold_back(tastes):,} ratings of {len(tastes)} people held back, the others learned from"
    yield from _pass_the_gate()
    rows = []
    for number, run in enumerate(_runs(options)):
        row, detail = _played(run, START + APART * number, tastes)
        rows.append(row)
        print(row, file=sys.stderr, flush=True)
        yield from detail
    yield from _header()
    yield from rows


def _runs(options: argparse.Namespace) -> list[Run]:
    small = [replace(SMALL, seed=seed) for seed in options.seeds]
    by_name = {
        "small": [replace(run, recipe=recipe) for recipe in (SHUFFLED, EQUAL) for run in small],
        "large": [LARGE],
        "measured": [MEASURED],
    }
    return [run for name in options.sites for run in by_name[name]]


def _hold_back(tastes: Any) -> int:
    """Takes the halves that nobody is told of out of the ratings; how many."""
    from apps.catalog.services import count_ratings
    from apps.ratings.models import Rating

    numbers: Counter[int] = Counter()
    stars: defaultdict[int, float] = defaultdict(float)
    for taste in tastes:
        Rating.objects.filter(user_id=taste.person, movie_id__in=taste.held_back).delete()
        for film, given in taste.held_back.items():
            numbers[film] += 1
            stars[film] += given
    count_ratings(deltas={film: (-stars[film], -number) for film, number in numbers.items()})
    return numbers.total()


def _pass_the_gate() -> Iterator[str]:
    """Refused, refused again by the rollout, and let serve all the same; the equal one passes."""
    from django.core.management import CommandError, call_command

    from apps.core.models import AuditEntry
    from apps.training.models import ModelVersion, Recipe
    from apps.training.services import override_refusal

    call_command("train", stdout=StringIO())
    Recipe.objects.create(name=SHUFFLED, parameters={"data": {"shuffled": True}})
    Recipe.objects.create(name=EQUAL, parameters=Recipe.objects.get(name="standard").parameters)
    for recipe in (EQUAL, SHUFFLED):
        told = StringIO()
        yield f"\n$ manage.py train --recipe {recipe}"
        try:
            call_command("train", "--recipe", recipe, stdout=told)
        except CommandError as refusal:
            told.write(f"refused: {refusal}")
        yield told.getvalue().rstrip()
    yield f"\n$ manage.py promote {SHUFFLED} --reason '{DRILL}'"
    try:
        call_command("promote", SHUFFLED, "--reason", DRILL, stdout=StringIO())
        yield "asked for, which must not happen"
    except CommandError as refusal:
        yield f"refused: {refusal}"
    refused = ModelVersion.objects.get(recipe__name=SHUFFLED, status=ModelVersion.Status.REFUSED)
    override_refusal(version=refused, by=None, because=DRILL)
    for entry in AuditEntry.objects.filter(action="training.override_gate"):
        yield f"\naudit: {entry.action}, {entry.before} to {entry.after}, reason {entry.reason!r}"


def _header() -> Iterator[str]:
    names = (
        "simulated traffic",
        "recipe",
        "seed",
        "lists a day",
        "steps",
        "came to",
        "after",
        "viewers who had it",
        "lists by it",
        f"of {UNITS_AFTER:,} units after",
        "bandit",
        "CTR, standard and candidate",
    )
    yield ""
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"


def _played(run: Run, start: datetime, tastes: Any) -> tuple[str, list[str]]:
    """The row of a run, and what it left in ledger and audit."""
    import numpy as np

    from apps.core import clock
    from apps.experiments.policy import forget_policy, read_policy
    from apps.experiments.services import resume_bandit
    from apps.recommendations.publics import FilmPublic
    from apps.recommendations.simulating import Plan, simulate
    from apps.training.models import Rollout
    from apps.training.services.rollouts import roll_back

    _visit_before(run, start, tastes)
    plan = Plan(
        start=start,
        days=run.days,
        n_viewers=run.viewers,
        seed=run.seed,
        rollout=run.recipe,
        watched_every=timedelta(hours=1),
    )
    n_days, ended_on, day = 0, 0, timedelta(days=1)
    for _ in simulate(plan, FilmPublic(tastes, np.random.default_rng(run.seed))):
        n_days += 1
        rollout = Rollout.objects.latest("id")
        if rollout.ended_at and not ended_on:
            ended_on = n_days
        print(f"{run.name}, {run.recipe}, day {n_days}: {rollout.status}", file=sys.stderr, flush=True)
        if ended_on and n_days > ended_on:
            break
    with clock.simulated(clock.SimulatedClock(start + day * n_days)):
        forget_policy()
        found = _row(run, rollout, n_days), list(_detail(run, rollout))
        if rollout.ended_at is None:
            roll_back(by=None, reason="The next run")
        if read_policy().bandit_suspended:
            resume_bandit(reason="The next run", by=None)
    forget_policy()
    return found


def _visit_before(run: Run, start: datetime, tastes: Any) -> None:
    """A day of other viewers, by which the site knows its size; what was held of another run is forgotten."""
    import numpy as np
    from django.core.cache import cache

    from apps.recommendations.publics import FilmPublic
    from apps.recommendations.simulating import Plan, simulate

    cache.clear()
    if run.visitors_before:
        day_before = start - timedelta(days=1)
        before = Plan(start=day_before, days=1, n_viewers=run.visitors_before, visits=1.5, views=1.0)
        for _ in simulate(before, FilmPublic(tastes, np.random.default_rng(run.seed + 100))):
            pass
    cache.clear()


def _row(run: Run, rollout: Any, n_days: int) -> str:
    from uuid import uuid4

    from apps.events.models import Slate
    from apps.experiments.policy import read_policy
    from apps.experiments.services import assign

    seen = Slate.objects.filter(created_at__gte=rollout.started_at)
    until = seen.filter(created_at__lt=rollout.ended_at) if rollout.ended_at else seen
    had = _units(until.filter(recipe=run.recipe)), _units(until)
    moment = rollout.ended_at or rollout.promoted_at
    hours = (moment - rollout.started_at) / timedelta(hours=1) if moment else None
    after = sum(assign(uuid4()).recipe == run.recipe for _ in range(UNITS_AFTER))
    served_after = (
        seen.filter(created_at__gte=rollout.ended_at, recipe=run.recipe) if rollout.ended_at else None
    )
    cells = (
        run.name,
        run.recipe,
        run.seed,
        f"{seen.count() / n_days:,.0f}",
        "timed" if rollout.is_timed else "measured",
        rollout.get_status_display().lower(),
        "-" if hours is None else f"{hours:.0f} h",
        f"{had[0]:,} of {had[1]:,} ({had[0] / had[1]:.1%})",
        f"{until.filter(recipe=run.recipe).count():,}"
        + ("" if served_after is None else f", {served_after.count()} afterwards"),
        after,
        "suspended" if read_policy().bandit_suspended else "draws",
        _ctr(until),
    )
    return f"| {' | '.join(map(str, cells))} |"


def _units(slates: Any) -> int:
    return int(slates.values("unit_key").distinct().count())


def _ctr(slates: Any) -> str:
    from django.db.models import Count, Q

    from apps.events.models import RecommendationEvent

    events = RecommendationEvent.objects.filter(slate__in=slates, slate__assignments__counted=True)
    rows = events.values("slate__recipe").annotate(n=Count("id"), clicks=Count("id", filter=Q(clicked=True)))
    found = {row["slate__recipe"]: row["clicks"] / row["n"] for row in rows}
    first, *others = (found.pop("standard", 0.0), *found.values())
    return ", ".join(f"{one:.2%}" for one in (first, *others))


def _detail(run: Run, rollout: Any) -> Iterator[str]:
    from apps.core.models import AuditEntry
    from apps.experiments.models import Decision

    yield f"\n{run.name}, {run.recipe}, seed {run.seed} (simulated): {rollout.told}"
    yield f"status {rollout.status}; ended because {rollout.ended_because!r}"
    for one in Decision.objects.filter(experiment=rollout.experiment_id).order_by("id"):
        hours = (one.at - rollout.started_at) / timedelta(hours=1)
        yield f"  hour {hours:5.1f}  {one.kind:<10} by {one.by or 'the rule or the command'}: {one.reason}"
    targets = {str(rollout.pk), str(rollout.experiment_id)}
    for entry in AuditEntry.objects.filter(target_id__in=targets).order_by("id"):
        yield f"  audit  {entry.action}: {entry.reason}"


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
