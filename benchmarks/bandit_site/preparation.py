"""A site that a bandit serves, for ``benchmarks/bandit_serving.py``.

The demo's films, ratings and model; viewers whose histories are those of imported people, whole or cut short;
the bandit as serving policy, and the made-up sums in its state.
"""

from collections.abc import Sequence

import django

django.setup()

from django.db import transaction  # noqa: E402 - Django is set up above

from apps.accounts.models import User  # noqa: E402
from apps.algorithms.context import POWER_FROM, REGULAR_FROM  # noqa: E402
from apps.bandits.beliefs import forget_bandits  # noqa: E402
from apps.bandits.models import BanditPolicy, BanditState  # noqa: E402
from apps.bandits.services import current_bandit  # noqa: E402
from apps.experiments.services import assign, change_policy  # noqa: E402
from apps.ratings.models import Rating  # noqa: E402
from benchmarks.bandit_site.sums import made_up_sums  # noqa: E402
from benchmarks.serving_site.preparation import main as prepare_site  # noqa: E402

N_FILMS = 9_066
CUT, WHOLE = "cut-", "bench-"
"""What the names of viewers begin with: histories cut short, and whole."""
LENGTHS = (REGULAR_FROM - 2, REGULAR_FROM - 1, 12, POWER_FROM - 10, POWER_FROM + 10, POWER_FROM + 30)
"""Ratings of the viewers with short histories: two lengths for each segment."""


def prepare(n_viewers: int) -> None:
    """``n_viewers`` of either kind."""
    prepare_site(N_FILMS, n_viewers)
    _cut_viewers(n_viewers)
    staff = User.objects.create_superuser("bench-staff-of-the-site", password=None)
    change_policy(strategy={"policy": "bandit"}, recipe="standard", reason="a benchmark", by=staff)
    arms = assign(None).strategy.arms
    _write_sums(BanditPolicy.objects.get(pk=current_bandit(arms).version))
    forget_bandits()


def viewers_of(kind: str) -> Sequence[User]:
    return list(User.objects.filter(username__startswith=kind, is_staff=False).order_by("pk"))


@transaction.atomic
def _cut_viewers(n: int) -> None:
    people = User.objects.filter(is_imported=True).order_by("-pk")[:n]
    for number, person in enumerate(people):
        viewer = User.objects.create_user(f"{CUT}{number}")
        # The best first: of somebody who liked nothing some arms know nothing, and would pass.
        rows = Rating.objects.filter(user=person).order_by("-value", "changed_at", "pk")
        Rating.objects.bulk_create(
            Rating(user=viewer, movie_id=movie, value=value, changed_at=at)
            for movie, value, at in rows.values_list("movie_id", "value", "changed_at")[
                : LENGTHS[number % len(LENGTHS)]
            ]
        )


def _write_sums(policy: BanditPolicy) -> None:
    """As the base of every cell, which no log row tells of; all first draws in one context of each arm."""
    sums = made_up_sums(len(policy.arms), is_capped=True)
    rows = []
    for context, by_arm in enumerate(zip(sums.shown.tolist(), sums.successes.tolist(), strict=True)):
        for spot, arm in enumerate(policy.arms):
            counts: dict[str, float] = {"shown": int(by_arm[0][spot]), "successes": int(by_arm[1][spot])}
            counts |= {f"{name}_weighted": value for name, value in counts.items()}
            counts["first_draws"] = float(sums.first_draws[spot]) if context == 0 else 0.0
            base = {f"base_{name}": value for name, value in counts.items()}
            rows.append(BanditState(policy=policy, context=context, arm=arm, **counts, **base))
    BanditState.objects.bulk_create(rows)
