"""A simulated log of one experiment, written in bulk: lists, films on them, and what was said of these.

Nobody looks at these lists: clicks are drawn at a rate of the unit's own, 5 % in the mean and 4 % more
of that under ``treatment``. Every unit has a list at least, the others go to some more than to others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import numpy as np

from apps.algorithms.types import Bool, Float64, Int64

KEY, VARIANTS = "simulated", ("control", "treatment")
SEGMENTS = ("cold", "regular", "power")
CLICK_RATE, LIFT = 0.05, 1.04
N_FILMS, N_USERS = 500, 1000
LISTS_AT_ONCE = 20_000
Columns = dict[str, Sequence[Any]]
"""Values by column, all of one length."""

_ALWAYS = {
    "surface": "home.for_you",
    "strategy": "hybrid",
    "strategy_config": "{}",
    "recipe": "standard",
    "model_version": "standard-1",
    "policy_version": 1,
    "overridden_by": "",
    "counted": 1,
    "diversity": 0.5,
    "seed": 1,
    "owners": "[]",
    "posterior": "{}",
    "history": "",
    "exclusions": "",
}


@dataclass(frozen=True)
class Span:
    """The time of some lists: they are spread evenly over it."""

    start: datetime
    length: timedelta


class Traffic:
    """Units, and all that is written for them. ``films`` are those of a list."""

    def __init__(self, units: int, films: int, *, seed: int = 1) -> None:
        self._rng = np.random.default_rng(seed)
        self._films = films
        self._keys = self._rng.bytes(16 * units)
        self._rates: Float64 = CLICK_RATE * self._rng.gamma(2.0, 0.5, units)
        self.units = units
        self.n_events = 0

    def write_history(self, n_lists: int, span: Span) -> None:
        """Lists of all units, with what was said of them within the hour."""
        more = np.floor(self.units * self._rng.random(max(n_lists - self.units, 0)) ** 2).astype(np.int64)
        owners = np.concatenate([self._rng.permutation(self.units), more])
        self._rng.shuffle(owners)
        share = span.length / len(owners)
        for first in range(0, len(owners), LISTS_AT_ONCE):
            some = owners[first : first + LISTS_AT_ONCE]
            self.write_lists(some, Span(span.start + first * share, len(some) * share), answered=True)

    def write_lists(self, owners: Int64, span: Span, *, answered: bool) -> None:
        """One list for each of these units, by number; ``answered`` with clicks and stars."""
        at = self._times(len(owners), span)
        ids = [f"{ms:012x}7{low}" for ms, low in zip((at // 1000).tolist(), self._tails(at), strict=True)]
        keys = [self.key(owner) for owner in owners.tolist()]
        variants = [self._variant(key) for key in keys]
        insert("slates", self._slates(ids, keys, at))
        insert(
            "slate_assignments",
            _filled(len(ids), experiment_key=KEY, phase=1, counted=1)
            | {"slate_id": ids, "variant": variants},
        )
        events = self._events(ids, variants, at)
        if answered:
            is_treated = np.array([variant == VARIANTS[1] for variant in variants])
            rates = self._rates[owners] * np.where(is_treated, LIFT, 1.0)
            self._answer(events, np.repeat(rates, self._films), np.repeat(at, self._films))
        insert("recommendation_events", events)
        if answered:
            self._say(events, np.repeat(np.array(keys), self._films).tolist())

    def key(self, unit: int) -> str:
        """32 hex digits."""
        return self._keys[16 * unit : 16 * unit + 16].hex()

    def _variant(self, key: str) -> str:
        return VARIANTS[int(key[0], 16) % 2]

    def _times(self, n: int, span: Span) -> Int64:
        """Microseconds since 1970, ascending."""
        places = (np.arange(n) + self._rng.random(n)) / max(n, 1)
        start = round(span.start.timestamp() * 1e6)
        microseconds = span.length / timedelta(microseconds=1)
        return np.asarray(start + places * microseconds, dtype=np.int64)

    def _tails(self, at: Int64) -> list[str]:
        noise = self._rng.bytes(10 * len(at)).hex()
        return [f"{noise[20 * n : 20 * n + 3]}8{noise[20 * n + 4 : 20 * n + 19]}" for n in range(len(at))]

    def _slates(self, ids: list[str], keys: list[str], at: Int64) -> Columns:
        n = len(ids)
        segments = [f'{{"user_segment": "{SEGMENTS[int(key[1], 16) % 3]}"}}' for key in keys]
        return _filled(n, **_ALWAYS, n_requested=self._films, n_returned=self._films) | {
            "id": ids,
            "unit_key": keys,
            "context": segments,
            "degraded": np.where(self._rng.random(n) < 0.002, "slow", "").tolist(),
            "latency_ms": self._rng.lognormal(3.4, 0.5, n).round(3).tolist(),
            "novelty": self._rng.normal(3.0, 0.5, n).round(4).tolist(),
            "n_genres": self._rng.integers(2, self._films + 1, n).tolist(),
            "created_at": _stamps(at),
        }

    def _events(self, ids: list[str], variants: list[str], at: Int64) -> Columns:
        n, draw = len(ids) * self._films, self._rng.random
        first, self.n_events = self.n_events + 1, self.n_events + n
        return _filled(
            n, algorithm="hybrid", recommendation_score=0.5, context="{}", reason="{}", experiment_id=KEY
        ) | {
            "id": list(range(first, first + n)),
            "slate_id": [one for one in ids for _ in range(self._films)],
            "variant": [one for one in variants for _ in range(self._films)],
            "movie_id": self._rng.integers(1, N_FILMS + 1, n).tolist(),
            "position": list(range(1, self._films + 1)) * len(ids),
            "is_long_tail": (draw(n) < 0.1).astype(int).tolist(),
            "is_niche": (draw(n) < 0.2).astype(int).tolist(),
            "created_at": [stamp for stamp in _stamps(at) for _ in range(self._films)],
        }

    def _answer(self, events: Columns, rates: Float64, at: Int64) -> None:
        draw, n = self._rng.random, len(rates)
        later = np.array(_stamps(at + self._rng.integers(1, 3_600_000_000, n)))
        clicked = draw(n) < rates
        rated = clicked & (draw(n) < 0.3)
        stars = self._rng.integers(1, 6, n)
        events |= {
            "clicked": clicked.astype(int).tolist(),
            "clicked_at": _where(clicked, later),
            "rated": rated.astype(int).tolist(),
            "rated_at": _where(rated, later),
            "rating_value": _where(rated, stars),
            "added_to_watchlist": (draw(n) < 0.01).astype(int).tolist(),
            "dismissed": (draw(n) < 0.005).astype(int).tolist(),
            "outcome": np.where(clicked & ~(rated & (stars < 3)), "success", "ignored").tolist(),
        }

    def _say(self, events: Columns, keys: list[str]) -> None:
        """A click in the log of feedback for each that was drawn."""
        rows = [row for row, clicked in enumerate(events["clicked"]) if clicked]
        said = {name: [events[name][row] for row in rows] for name in ("id", "movie_id", "clicked_at")}
        insert(
            "feedback",
            _filled(len(rows), kind="click")
            | {
                "unit_key": [keys[row] for row in rows],
                "client_id": [f"said-{event}" for event in said["id"]],
                "user_id": [1 + event % N_USERS for event in said["id"]],
                "movie_id": said["movie_id"],
                "event_id": said["id"],
                "occurred_at": said["clicked_at"],
                "received_at": said["clicked_at"],
            },
        )


def insert(table: str, columns: Columns) -> None:
    """Writes the rows in one transaction, without looking whether they refer to rows that are there."""
    from django.db import connection

    names, rows = ", ".join(columns), zip(*columns.values(), strict=True)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")
            text = StringIO("\n".join("\t".join(map(str, row)) for row in rows))
            cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN WITH (NULL 'None')", text)
        else:
            places = ", ".join(["?"] * len(columns))
            connection.connection.execute("BEGIN IMMEDIATE")
            connection.connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)  # noqa: S608 - names
            connection.connection.execute("COMMIT")


def _where(is_there: Bool, values: np.typing.NDArray[Any]) -> list[Any]:
    """The values; None where there is none."""
    return [value if there else None for there, value in zip(is_there, values.tolist(), strict=True)]


def click(event_ids: Sequence[int], at: datetime) -> None:
    """Clicks on films that are in the log, said one after the other as the site does, at that moment."""
    from apps.events.models import Feedback, RecommendationEvent

    events = RecommendationEvent.objects.filter(pk__in=event_ids)
    events.update(clicked=True, clicked_at=at, outcome="success", outcome_at=at)
    Feedback.objects.bulk_create(
        Feedback(
            unit_key=event.slate.unit_key or UUID(int=0),
            client_id=f"{at.timestamp()}-{event.pk}",
            user_id=1 + event.pk % N_USERS,
            movie_id=event.movie_id,
            kind="click",
            event=event,
            occurred_at=at,
            received_at=at,
        )
        for event in events.select_related("slate")
    )


def _filled(n: int, **values: Any) -> Columns:
    return {name: [value] * n for name, value in values.items()}


def _stamps(at: Int64) -> list[str]:
    stamps: list[str] = np.datetime_as_string(at.astype("datetime64[us]")).tolist()
    return [stamp.replace("T", " ") for stamp in stamps]
