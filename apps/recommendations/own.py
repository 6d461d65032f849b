"""What one film is to one viewer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.accounts.models import User
from apps.experiments.policy import current_policy
from apps.ratings.history import preferences_from
from apps.ratings.querysets import DISMISSAL, FAVORITE, RATING, THUMB, WATCHLIST, history_rows
from apps.recommendations.services.drafting import history_of
from apps.training.registry import engine


@dataclass(frozen=True)
class OwnState:
    """``thumb`` is "up", "down" or None. ``predicted_rating`` is in stars; None when nothing is known."""

    rating: float | None = None
    favorite: bool = False
    watchlist: bool = False
    thumb: str | None = None
    dismissed: bool = False
    predicted_rating: float | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "rating": self.rating,
            "favorite": self.favorite,
            "watchlist": self.watchlist,
            "thumb": self.thumb,
            "dismissed": self.dismissed,
            "predicted_rating": self.predicted_rating,
        }


_THUMBS = {1.0: "up", -1.0: "down"}


def own_state(viewer: User | None, movie_id: int) -> OwnState:
    """One query; none for a visitor without a row."""
    if viewer is None:
        return OwnState(predicted_rating=_predicted((), movie_id))
    rows = list(history_rows(viewer.pk))
    mine = {row[0]: row[2] for row in rows if row[1] == movie_id}
    rated = [(film, stars) for film, stars, _ in preferences_from(rows).rated if film != movie_id]
    return OwnState(
        rating=mine.get(RATING),
        favorite=FAVORITE in mine,
        watchlist=WATCHLIST in mine,
        thumb=_THUMBS.get(mine.get(THUMB) or 0.0),
        dismissed=DISMISSAL in mine,
        predicted_rating=_predicted(rated, movie_id),
    )


def _predicted(rated: Sequence[tuple[int, float]], movie_id: int) -> float | None:
    """What the viewer would give the film, going by their other ratings."""
    active = engine(current_policy().recipe)
    if active is None or active.predictor is None:
        return None
    item = active.items.indices([movie_id])
    if item[0] < 0:
        return None
    return round(float(active.predictor.predict(history_of(active, rated), item)[0]), 2)
