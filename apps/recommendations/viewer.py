"""All that a slate needs to know of its viewer, in one query."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from django.db import connection
from django.utils import timezone

from apps.accounts.models import User
from apps.algorithms.context import (
    SATURATION_WINDOW,
    Context,
    SessionPosition,
    day_type,
    genre_saturation,
    session_position,
    time_of_day,
    user_segment,
)
from apps.algorithms.types import ItemIndex
from apps.core.rows import read_rows
from apps.events.activity import ACTIVITY_SQL, CLICK, SLATE
from apps.experiments.assigning import Attributes
from apps.experiments.attributes import attributes_from
from apps.ratings.history import Preferences, preferences_from
from apps.ratings.querysets import HISTORY_SQL
from apps.training.registry import Engine

SESSION_IDLE = timedelta(minutes=30)


@dataclass(frozen=True)
class ViewerState:
    """What the viewer has said, clicked and been shown, as of now.

    ``clicks`` are (film id, time), ``slate_times`` the last counted slates, both newest first.
    """

    preferences: Preferences
    clicks: tuple[tuple[int, datetime], ...]
    slate_times: tuple[datetime, ...]

    def recent_movie_ids(self, n: int) -> list[int]:
        """The last ``n`` films clicked or rated, oldest first, each once at its latest time."""
        latest: dict[int, datetime] = {}
        # Ratings are in order of time: none before the last n can be among the last n acts.
        touched = [(movie_id, at) for movie_id, _, at in self.preferences.rated[-n:]]
        for movie_id, at in [*touched, *self.clicks]:
            if movie_id not in latest or latest[movie_id] < at:
                latest[movie_id] = at
        return sorted(latest, key=lambda movie_id: (latest[movie_id], movie_id))[-n:]

    def session_position(self, now: datetime) -> SessionPosition:
        return session_position(_slates_of_session(self.slate_times, now))


EMPTY = ViewerState(preferences_from([]), (), ())


_SQL = f"{HISTORY_SQL} UNION ALL {ACTIVITY_SQL}"


def read_viewer(viewer: User | None, unit_key: UUID | None) -> ViewerState:
    """One query; none for somebody without a unit."""
    if viewer is None and unit_key is None:
        return EMPTY
    unit: Any = User._meta.get_field("unit_key").get_db_prep_value(unit_key, connection)
    rows = read_rows(_SQL, {"user": viewer.pk if viewer else None, "unit": unit})
    clicks = [(row[1], row[3]) for row in rows if row[0] == CLICK]
    slates = [row[3] for row in rows if row[0] == SLATE]
    return ViewerState(
        preferences_from(rows),
        tuple(sorted(clicks, key=lambda click: click[1], reverse=True)),
        tuple(sorted(slates, reverse=True)),
    )


def context_of(state: ViewerState, engine: Engine | None, *, zone: ZoneInfo | None, now: datetime) -> Context:
    """The context, frozen at serve time. ``zone`` None is the site's."""
    local = now.astimezone(zone or timezone.get_default_timezone())
    return Context(
        time_of_day=time_of_day(local.hour),
        day_type=day_type(local.weekday()),
        user_segment=user_segment(state.preferences.n_ratings),
        genre_saturation=genre_saturation(_primary_genres(state, engine)),
        session_position=state.session_position(now),
    )


def attributes_of(viewer: User | None, state: ViewerState, *, language: str, now: datetime) -> Attributes:
    """What experiments may target the viewer by."""
    return attributes_from(viewer, n_ratings=state.preferences.n_ratings, language=language, now=now)


def _primary_genres(state: ViewerState, engine: Engine | None) -> list[int]:
    if engine is None:
        return []
    return primary_genres(engine.items, engine.primary_genre, state.recent_movie_ids(SATURATION_WINDOW))


def primary_genres(items: ItemIndex, genres: Any, movie_ids: list[int]) -> list[int]:
    """Each film's primary genre, -1 for a film without one or unknown to the model."""
    indices = items.indices(movie_ids)
    found: list[int] = np.where(indices >= 0, genres[indices], -1).tolist()
    return found


def _slates_of_session(slate_times: tuple[datetime, ...], now: datetime) -> int:
    count, later = 0, now
    for at in slate_times:
        if later - at >= SESSION_IDLE:
            break
        count, later = count + 1, at
    return count
