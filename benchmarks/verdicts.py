"""How often the whole rule errs when it looks at an experiment every day, and what it finds.

    python benchmarks/verdicts.py [--tests 2000] [--only nothing effect harm]

All traffic is simulated, without a database: the sums over units are made directly, and go day by day for
thirty days through the rule that watches experiments. Goals are clicks over films shown and the share of
units that click; guardrails are those by default but the latency, whose reading takes too long here. Each is
at its default margin. Units come back, so that their sums grow between looks. Prints Markdown, with each mark
met or missed; a share of 2,000 tests has a standard error of .5 points at 5 %.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recommender_site.settings.test")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django

PARTS = ("nothing", "effect", "harm")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tests", type=int, default=2000, help="tests of each kind (default: 2000)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    django.setup()
    # Its models can be imported only now.
    from benchmarks import watching

    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for part in options.only:
            for line in watching.PARTS_OF_RUN[part](pool, options.tests):
                print(line, flush=True)
            print()


if __name__ == "__main__":
    main()
