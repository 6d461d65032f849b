"""The film that a viewer liked lately, for a list of what people liked who liked it too."""

from dataclasses import dataclass

from apps.algorithms.types import LIKED_FROM
from apps.catalog.models import Movie
from apps.experiments.policy import current_policy
from apps.ratings.history import Preferences
from apps.training.registry import engine

N_RECENT = 5
"""How many of the latest likes are looked at: the list keeps up with the viewer, but a lukewarm like does
not displace a film that they love at once."""


@dataclass(frozen=True)
class Anchor:
    movie_id: int
    title: str


def choose_anchor(preferences: Preferences) -> Anchor | None:
    """Of the latest likes the one with most stars, of these the latest.

    None where the viewer likes nothing that may be shown and that the model knows. A film that is not for
    them is not liked, whatever its stars. One query; none where there is nothing to choose from.
    """
    active = engine(current_policy().recipe)
    liked = [
        (stars, at, movie_id)
        for movie_id, stars, at in preferences.rated
        if stars >= LIKED_FROM and movie_id not in preferences.dismissed
    ]
    recent = [movie_id for _, _, movie_id in sorted(liked[-N_RECENT:], reverse=True)]
    if active is None or not recent:
        return None
    known = active.items.indices(recent) >= 0
    titles = dict(Movie.objects.available().filter(pk__in=recent).values_list("pk", "title"))
    return next(
        (
            Anchor(movie_id, titles[movie_id])
            for movie_id, is_known in zip(recent, known.tolist(), strict=True)
            if is_known and movie_id in titles
        ),
        None,
    )
