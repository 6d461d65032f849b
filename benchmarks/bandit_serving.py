"""Whether the bandit draws as it says it does, and what it adds to a request.

    python benchmarks/bandit_serving.py                        on a SQLite file
    python benchmarks/bandit_serving.py --database postgresql
    python benchmarks/bandit_serving.py --only overhead        or calibration, or ranks

Of the demo's films and model, on databases of its own, which are gone after it. All traffic is simulated.

calibration: several processes serve slates through ``recommend()``, every film logged and counted, to viewers
of every segment over some simulated weeks, while a bandit with sums from a seed draws. What is believed must
stand still meanwhile, and counting must not be switched off. So each process reads its beliefs once, before
any has served, and keeps them, as it does for two seconds on a site; what is counted is in the database and
is read by nobody until the end. That the beliefs stood still is checked: every logged probability must be
that of the sums as made up.
ranks: the probability of each arm at each rank, beside drawing a million times.
overhead: requests of the bandit and of the default blend in turns.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.databases import own_database  # noqa: E402 - the path above comes first

DATABASE = "marquee_bandit_serving"
SETTINGS = "benchmarks.serving_site.settings"
PARTS = ("calibration", "ranks", "overhead")


def main() -> None:
    options = _options()
    if options.role:
        _play(options)
        return
    for part in PARTS if options.only is None else (options.only,):
        if part == "ranks":
            _ranks(options.draws)
        else:
            _on_a_site(part, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--postgres", default="postgres://postgres@127.0.0.1:5432", help="without a database")
    parser.add_argument("--slates", type=int, default=100_000, help="of all processes, for the calibration")
    parser.add_argument("--length", type=int, default=6, help="films of each of these slates")
    parser.add_argument("--processes", type=int, default=2, help="that serve them")
    parser.add_argument("--draws", type=int, default=1_000_000, help="in each context, for the ranks")
    parser.add_argument("--pairs", type=int, default=600, help="of requests in a round, for the overhead")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--viewers", type=int, default=200, help="with whole histories, and as many with short ones"
    )
    parser.add_argument("--role", choices=("prepare", "serve", *PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--number", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


# --- The parent ----------------------------------------------------------------------------------


def _ranks(n_draws: int) -> None:
    from benchmarks.bandit_site import ranks

    _title("Ranks")
    for line in ranks.report(n_draws):
        print(line, flush=True)


def _on_a_site(part: str, options: argparse.Namespace) -> None:
    """A site of each part's own, since all that was logged and counted there is looked at."""
    with own_database(options.database, DATABASE, server=options.postgres, settings=SETTINGS) as own:
        environment = {**own, "PYTHONPATH": str(ROOT)}
        _run("prepare", environment, options)
        _title(f"{part.capitalize()}, {options.database}")
        if part == "calibration":
            servers = [_start("serve", environment, options, number) for number in range(options.processes)]
            _let_go(servers)
            for server in servers:
                _finish(server, "serve")
        print(_run(part, environment, options), flush=True)


def _let_go(servers: Sequence["subprocess.Popen[str]"]) -> None:
    """Lets them serve once all have read what is believed: none may read what another has counted."""
    for server in servers:
        assert server.stdout is not None
        server.stdout.readline()
    for server in servers:
        assert server.stdin is not None
        # Closed by the server if it failed, which is told when it is waited for.
        with suppress(BrokenPipeError):
            server.stdin.write("go\n")
            server.stdin.flush()


def _title(text: str) -> None:
    print(f"\n### {text}\n", flush=True)


def _run(role: str, environment: Mapping[str, str], options: argparse.Namespace) -> str:
    return _finish(_start(role, environment, options), role)


def _start(
    role: str, environment: Mapping[str, str], options: argparse.Namespace, number: int = 0
) -> "subprocess.Popen[str]":
    words = ["--role", role, "--number", str(number)]
    for name in ("slates", "length", "processes", "pairs", "rounds", "viewers"):
        words += [f"--{name}", str(getattr(options, name))]
    return subprocess.Popen(
        [sys.executable, __file__, *words],
        env=dict(environment),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(process: "subprocess.Popen[str]", role: str) -> str:
    said, errors = process.communicate()
    if process.returncode:
        raise SystemExit(f"{role} failed:\n{errors}")
    return said.strip()


# --- The children --------------------------------------------------------------------------------


def _play(options: argparse.Namespace) -> None:
    # First, since it sets Django up.
    from benchmarks.bandit_site.preparation import prepare

    if options.role == "prepare":
        prepare(options.viewers)
    elif options.role == "serve":
        from benchmarks.bandit_site.traffic import serve_slates

        n_slates = (options.slates + options.number) // options.processes
        serve_slates(options.number, options.processes, n_slates, options.length)
    elif options.role == "calibration":
        from benchmarks.bandit_site import calibration

        print("\n".join(calibration.report()))
    else:
        from benchmarks.bandit_site import overhead

        print("\n".join(overhead.report(options.pairs, options.rounds)))


if __name__ == "__main__":
    main()
