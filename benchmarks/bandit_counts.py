"""Whether a bandit's counts survive processes that all count at once, one of them killed.

    python benchmarks/bandit_counts.py                 on a SQLite file, then on PostgreSQL
    python benchmarks/bandit_counts.py --only sqlite

Each process gives feedback, half of which another process gives as well, in another order, and serves a list
after every twentieth. One is killed by SIGKILL when it is half done; its twin does all that it would have.
Then the counts are compared with the log, and with those of a rebuild. The database of a run is its own, and
is gone after it.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.databases import own_database  # noqa: E402 - the path above comes first

DATABASE = "marquee_bandit_counts"
SETTINGS = "recommender_site.settings.dev"
N_FILMS, N_VIEWERS, LENGTH, SLATE_EVERY = 300, 40, 20, 20
PROGRESS_EVERY = 50
# What is said of a film, in this order or another; every other film is a success in the end.
KINDS = (("click", "thumbs_down"), ("click", "favorite"))


def main() -> None:
    options = _options()
    if options.role:
        _play(options)
        return
    print("| database | feedbacks | lists | seconds | feedbacks/s | failed | counts lost | as rebuilt |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for name in ("sqlite", "postgresql"):
        if options.only in (None, name):
            with own_database(name, DATABASE, server=options.postgres, settings=SETTINGS) as environment:
                print(_measure(name, environment, options), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--processes", type=int, default=8, help="an even number")
    parser.add_argument("--feedbacks", type=int, default=2000, help="of each process")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--postgres", default="postgres://postgres@127.0.0.1:5432", help="without a database")
    parser.add_argument("--role", choices=("prepare", "work", "report"), help=argparse.SUPPRESS)
    parser.add_argument("--number", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


# --- The parent ----------------------------------------------------------------------------------


def _measure(name: str, environment: Mapping[str, str], options: argparse.Namespace) -> str:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"], env=dict(environment), cwd=ROOT, check=True
    )
    _run("prepare", environment, options)
    started = time.perf_counter()
    workers = [_start("work", environment, options, number) for number in range(options.processes)]
    _kill_half_way(workers[0], options.feedbacks)
    errors = [worker.communicate()[1] for worker in workers]
    seconds = time.perf_counter() - started
    failed = [text for number, text in enumerate(errors) if workers[number].returncode and number]
    for text in failed:
        print(text, file=sys.stderr)
    told = json.loads(_run("report", environment, options))
    n_feedbacks = options.processes * options.feedbacks - options.feedbacks // 2
    cells = [name, f"{n_feedbacks:,}", told["n_slates"], f"{seconds:.0f}", f"{n_feedbacks / seconds:.0f}"]
    cells += [len(failed), told["n_lost"], "yes" if told["is_equal"] else "NO"]
    return f"| {' | '.join(map(str, cells))} |"


def _kill_half_way(worker: "subprocess.Popen[str]", n_feedbacks: int) -> None:
    assert worker.stdout is not None
    for line in worker.stdout:
        if int(line) >= n_feedbacks // 2:
            worker.kill()
            return


def _start(
    role: str, environment: Mapping[str, str], options: argparse.Namespace, number: int = 0
) -> "subprocess.Popen[str]":
    words = ["--role", role, "--number", str(number)]
    words += ["--processes", str(options.processes), "--feedbacks", str(options.feedbacks)]
    return subprocess.Popen(
        [sys.executable, __file__, *words],
        env=dict(environment),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _run(role: str, environment: Mapping[str, str], options: argparse.Namespace) -> str:
    process = _start(role, environment, options)
    said, errors = process.communicate()
    if process.returncode:
        raise SystemExit(f"{role} failed:\n{errors}")
    return said


# --- The children --------------------------------------------------------------------------------


def _play(options: argparse.Namespace) -> None:
    import django

    django.setup()
    {"prepare": _prepare, "work": _work, "report": _report}[options.role](options)


def _prepare(options: argparse.Namespace) -> None:
    """Films, viewers, and lists with a film for every act."""
    from apps.accounts.models import User
    from apps.catalog.services import create_movie

    for number in range(N_FILMS):
        create_movie(by=None, title=f"Film {number}", genres=[])
    for number in range(N_VIEWERS):
        User.objects.create_user(f"viewer-{number}", password=None)
    viewers = list(User.objects.order_by("pk"))
    n_acts = options.processes * options.feedbacks // 2
    for number in range(-(-n_acts // (LENGTH * len(KINDS[0])))):
        _serve(viewers[number % N_VIEWERS], random.Random(number))


def _work(options: argparse.Namespace) -> None:
    """The acts of a pair of processes, in an order of this one's own."""
    from apps.accounts.models import User
    from apps.recommendations.services import FeedbackRequest, give_feedback

    rng = random.Random(options.number)
    viewers = User.objects.in_bulk()
    first = options.number // 2 * options.feedbacks
    acts = _acts()[first : first + options.feedbacks]
    rng.shuffle(acts)
    for number, (user_id, movie_id, event_id, kind) in enumerate(acts, start=1):
        client_id = f"{event_id}-{kind}"
        viewer = viewers[user_id]
        give_feedback(FeedbackRequest(viewer, movie_id, kind, event_id=event_id, client_id=client_id))
        if number % SLATE_EVERY == 0:
            _serve(rng.choice(list(viewers.values())), rng)
        if number % PROGRESS_EVERY == 0:
            print(number, flush=True)


def _acts() -> list[tuple[int, int, int, Any]]:
    """Of the films of the first lists; (viewer, film, event, kind)."""
    from apps.events.models import RecommendationEvent

    rows = RecommendationEvent.objects.order_by("pk").values_list("user_id", "movie_id", "pk")
    return [(user, movie, pk, kind) for user, movie, pk in rows if user for kind in KINDS[pk % 2]]


def _serve(viewer: Any, rng: random.Random) -> None:
    """A list as ``recommend()`` draws, logs and counts it, of films chosen at random."""
    from django.utils import timezone

    from apps.algorithms.context import N_CONTEXTS, Context
    from apps.events.models import Surface
    from apps.experiments.services import Assignment
    from apps.recommendations.drawing import DEFAULTS, Occasion, draw
    from apps.recommendations.recording import Decision, serve
    from apps.recommendations.slates import SlateRequest

    strategy, seed = DEFAULTS["bandit"], rng.getrandbits(62)
    occasion = Occasion(Context.from_index(rng.randrange(N_CONTEXTS)), timezone.now())
    drawn = draw(strategy, occasion, n=LENGTH, seed=seed)
    owners = [drawn.arms[owner] for owner in drawn.owners.tolist()]
    decision = Decision(
        assignment=Assignment(strategy, "standard", 1),
        strategy=strategy,
        diversity=0.0,
        label="bandit",
        is_personal=True,
        model_version="none",
        context=occasion.context,
        history=(),
        excluded=(),
        chosen=_chosen(owners, rng),
        owners=owners,
        bandit=drawn.bandit,
        variety=None,
        seed=seed,
        degraded="",
        now=occasion.at,
        latency_ms=0.0,
    )
    serve([(SlateRequest(viewer, viewer.unit_key, Surface.API, n=LENGTH), decision)])


def _chosen(owners: Sequence[str], rng: random.Random) -> Any:
    from apps.catalog.models import Movie
    from apps.recommendations.films import available_films
    from apps.recommendations.reasons import POPULAR
    from apps.recommendations.recording import Chosen

    films = available_films(set(Movie.objects.values_list("pk", flat=True)))
    picked = rng.sample(sorted(films), len(owners))
    return [
        Chosen(films[movie_id], arm, 1.0, 0.5, 1 / 6, None, POPULAR)
        for movie_id, arm in zip(picked, owners, strict=True)
    ]


def _report(options: argparse.Namespace) -> None:
    """What was lost: acts that are in no log, and counts that are not what the log says."""
    from django.db.models import Count, Q, Sum

    from apps.bandits.models import BanditState
    from apps.bandits.services import check, rebuild
    from apps.events.models import Feedback, RecommendationEvent, Slate

    logged = RecommendationEvent.objects.aggregate(
        shown=Count("pk"), successes=Count("pk", filter=Q(outcome="success"))
    )
    held = BanditState.objects.aggregate(shown=Sum("shown"), successes=Sum("successes"))
    n_lost = options.processes * options.feedbacks // 2 - Feedback.objects.count()
    n_lost += sum(abs(logged[name] - held[name]) for name in logged)
    n_lost += len(check(1).differing)
    before = list(BanditState.objects.order_by("pk").values_list())
    rebuild(1)
    pairs = zip(before, BanditState.objects.order_by("pk").values_list(), strict=True)
    is_equal = all(_is_close(*values) for row, again in pairs for values in zip(row, again, strict=True))
    print(json.dumps({"n_lost": n_lost, "is_equal": is_equal, "n_slates": Slate.objects.count()}))


def _is_close(one: Any, other: Any) -> bool:
    return bool(abs(one - other) <= 1e-6 * max(1.0, abs(one))) if isinstance(one, float) else one == other


if __name__ == "__main__":
    main()
