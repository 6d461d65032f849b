"""``manage.py simulate``: viewers nobody is behind, who are served and answer as a known public would."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
from django.core.management.base import CommandParser
from django.utils import timezone

from apps.algorithms.simulation import EQUAL_ARMS, NO_STRUCTURE, REFERENCE
from apps.bandits.services import check_all
from apps.core.errors import InvalidInput
from apps.core.management.base import MarqueeCommand
from apps.recommendations.publics import FilmPublic, tastes_of_raters
from apps.recommendations.simulating import (
    Plan,
    Tally,
    require_no_real_traffic,
    simulate,
    site_midnight,
)

PUBLICS = {"reference": REFERENCE, "no-structure": NO_STRUCTURE, "equal-arms": EQUAL_ARMS}
RATERS = "raters"
"""A public of films: the tastes of people who came with a data set."""


class Command(MarqueeCommand):
    help = (
        "Plays a simulated public on this site: its viewers are served lists and answer them, by a clock of "
        "their own that ends last midnight. All of it is simulated, and labelled so in the admin."
    )
    example = "manage.py simulate --days 14 --viewers 200 --seed 7"

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=14, help="how many days (default: 14)")
        parser.add_argument("--viewers", type=int, default=200, help="how many viewers (default: 200)")
        parser.add_argument(
            "--visits", type=float, default=0.5, help="visits a viewer and day, mean (default: 0.5)"
        )
        parser.add_argument("--public", choices=(*PUBLICS, RATERS), default="reference", help="whose tastes")
        parser.add_argument("--seed", type=int, default=1, help="the same seed plays the same public")
        parser.add_argument("--experiment", default="", help="the key of a draft to start on the first day")
        parser.add_argument("--rollout", default="", help="a recipe to roll out from the first day on")
        parser.add_argument(
            "--beside-real", action="store_true", help="also where the log holds lists of real visitors"
        )

    def execute_command(
        self,
        *,
        days: int,
        viewers: int,
        visits: float,
        public: str,
        seed: int,
        experiment: str,
        rollout: str,
        beside_real: bool,
        **options: Any,
    ) -> Mapping[str, object]:
        if seed < 0:
            raise InvalidInput(f"--seed must be 0 or above, not {seed}")
        plan = Plan(
            # From midnight on: at whatever hour it is played, the same seed has the same page views.
            start=site_midnight(timezone.now() - timedelta(days=max(days, 0))),
            days=days,
            n_viewers=viewers,
            visits=visits,
            seed=seed,
            tastes=PUBLICS.get(public, REFERENCE),
            experiment=experiment,
            rollout=rollout,
            # A rollout is asked what to do each hour of its steps.
            watched_every=timedelta(hours=1) if rollout else timedelta(days=1),
        )
        if not beside_real:
            require_no_real_traffic()
        found = _raters(seed) if public == RATERS else None
        *_, tally = self.progress(simulate(plan, found), days, "Simulated days")
        return _result(tally)


def _raters(seed: int) -> FilmPublic:
    rng = np.random.default_rng(seed)
    tastes = tastes_of_raters(rng)
    if not tastes:
        raise InvalidInput(
            "Nobody who came with a data set liked a film: load one first (manage.py load_movielens), or"
            " choose another --public"
        )
    return FilmPublic(tastes, rng)


def _result(tally: Tally) -> Mapping[str, object]:
    checks = check_all()
    return {
        "traffic": "simulated",
        "slates": tally.slates,
        "films_shown": tally.films,
        "feedback": tally.feedback,
        "replays": tally.replays,
        "likes_a_slate": round(tally.expected / tally.slates, 4) if tally.slates else None,
        "of_the_best_arm": round(tally.expected / tally.best, 4) if tally.slates else None,
        "arms": {
            name: {"shown": shown, "liked": liked} for name, (shown, liked) in sorted(tally.arms.items())
        },
        "bandit_cells_that_differ": sum(len(check.differing) for check in checks),
    }
