"""The lists that strategies would make for a viewer, to be looked at before they serve anybody."""

from collections.abc import Sequence

from apps.accounts.models import User
from apps.algorithms.strategy import Strategy
from apps.bandits.beliefs import held_bandit
from apps.events.models import Surface
from apps.experiments.previews import PreviewedFilm, PreviewedSlate
from apps.recommendations.services.recommending import decide_had
from apps.recommendations.slates import SlateRequest


def previewed(viewer: User, serving: Sequence[tuple[Strategy, str]], n: int) -> list[PreviewedSlate]:
    """Of each strategy with its recipe the list of ``n`` that it would make now. Nothing is stored."""
    request = SlateRequest(surface=Surface.API, viewer=viewer, unit_key=viewer.unit_key, n=n)
    decisions = decide_had(request, [(_drawable(strategy), recipe) for strategy, recipe in serving])
    return [
        PreviewedSlate(
            [
                PreviewedFilm(one.film.movie_id, one.film.title, one.algorithm, one.reason.text)
                for one in decision.chosen
            ],
            decision.degraded,
        )
        for decision in decisions
    ]


def _drawable(strategy: Strategy) -> Strategy:
    """Of a bandit that never served its arms in equal parts, which is how it begins: a look begins no version
    of it.
    """
    if strategy.policy == "fixed" or held_bandit(strategy.arms) is not None:
        return strategy
    weights = tuple(1 / len(strategy.arms) for _ in strategy.arms)
    return Strategy("fixed", strategy.arms, weights=weights, diversity=strategy.diversity)
