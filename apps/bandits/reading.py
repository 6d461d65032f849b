"""What staff and programs are told of a bandit."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from apps.algorithms.bandits.thompson import Beliefs
from apps.algorithms.context import N_CONTEXTS, Context
from apps.bandits.beliefs import Bandit, believed
from apps.bandits.models import BanditPolicy, BanditState
from apps.events.models import RecommendationEvent, Slate
from apps.events.outcome import Outcome


def state_of(version: int) -> dict[str, Any]:
    """Every context and arm: what was counted, and what is believed of it. Two queries.

    ``share`` is the arm's part of the first draws in the context; None where there is none.
    """
    bandit = believed(version)
    fields = ("shown", "successes", "first_draws")
    counted = {
        (context, arm): cell
        for context, arm, *cell in BanditState.objects.filter(policy_id=version)
        .order_by()
        .values_list("context", "arm", *fields)
    }
    shares = dict(zip(bandit.arms, bandit.beliefs.state.shares.tolist(), strict=True))
    return {
        "policy_version": version,
        "frozen": bandit.policy.frozen,
        "arms": list(bandit.arms),
        "first_draw_shares": shares,
        "contexts": [
            {
                "index": context,
                "context": Context.from_index(context).as_dict(),
                "arms": _cells(bandit, context, counted),
            }
            for context in range(N_CONTEXTS)
        ],
    }


def stats_of(version: int, *, days: int) -> dict[str, Any]:
    """How the arms fared in the last ``days``, over all contexts; also those never shown. Three queries."""
    names = BanditPolicy.objects.values_list("arms", flat=True).get(version=version)
    since = timezone.now() - timedelta(days=days)
    slates = Slate.objects.filter(bandit_version=version, counted=True, created_at__gte=since).aggregate(
        n=Count("pk"), explored=Count("pk", filter=Q(posterior__explored=True))
    )
    films = (
        RecommendationEvent.objects.filter(
            slate__bandit_version=version,
            slate__counted=True,
            bandit_context__isnull=False,
            propensity__isnull=False,
            created_at__gte=since,
        )
        .order_by()
        .values("algorithm")
        .annotate(shown=Count("pk"), successes=Count("pk", filter=Q(outcome=Outcome.SUCCESS.value)))
    )
    by_arm = dict.fromkeys(names, (0, 0))
    by_arm |= {row["algorithm"]: (row["shown"], row["successes"]) for row in films}
    shown, successes = (sum(column) for column in zip(*by_arm.values(), strict=True))
    return {
        "policy_version": version,
        "period_days": days,
        "slates": slates["n"],
        "explored_rate": _rate(slates["explored"], slates["n"]),
        "shown": shown,
        "successes": successes,
        "success_rate": _rate(successes, shown),
        "arms": {
            arm: {
                "shown": n,
                "successes": good,
                "success_rate": _rate(good, n),
                "selection_rate": _rate(n, shown),
            }
            for arm, (n, good) in sorted(by_arm.items())
        },
    }


def cell_of(beliefs: Beliefs, context: int, spot: int, counted: tuple[int, int]) -> dict[str, float]:
    """What was counted of one arm in one context, films shown and successes, and what is believed of it."""
    shown, successes = counted
    low, high = beliefs.interval
    return {
        "shown": shown,
        "successes": successes,
        "alpha": float(beliefs.alpha[context, spot]),
        "beta": float(beliefs.beta[context, spot]),
        "mean": float(beliefs.mean[context, spot]),
        "low": float(low[context, spot]),
        "high": float(high[context, spot]),
        "p_best": float(beliefs.p_best(context)[spot]),
    }


def _cells(
    bandit: Bandit, context: int, counted: Mapping[tuple[int, str], Sequence[Any]]
) -> dict[str, dict[str, float | None]]:
    cells = [counted.get((context, arm), (0, 0, 0.0)) for arm in bandit.arms]
    draws = sum(first_draws for _, _, first_draws in cells)
    return {
        arm: {
            **cell_of(bandit.beliefs, context, spot, (shown, successes)),
            "share": first_draws / draws if draws else None,
        }
        for spot, (arm, (shown, successes, first_draws)) in enumerate(zip(bandit.arms, cells, strict=True))
    }


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None
