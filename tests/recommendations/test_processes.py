"""Processes that rate, click, dismiss and ask for films at once: nothing lost, nothing counted twice."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Count
from rest_framework_simplejwt.tokens import AccessToken

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.events.models import Feedback, RecommendationEvent, Slate
from apps.ratings.models import Dismissal, Favorite, Rating
from apps.recommendations.services import recommend
from apps.recommendations.slates import SlateRequest
from tests.callers import guest
from tests.factories import make_user
from tests.house import make_house
from tests.processes import run_at_once

PROCESSES = 4
VIEWERS = 3
SLATES_EACH = 6
LENGTH = 8
COUNTS = ("pk", "rating_sum", "rating_count")

# Every process says all there is to say, from another beginning, and asks for films in between.
TALK = """
from collections import Counter
from django.test import Client
client, answers = Client(raise_request_exception=False, SERVER_NAME="127.0.0.1"), Counter()
for token, body in order:
    headers = {"Authorization": f"Bearer {token}"}
    if body is None:
        response = client.get("/api/v1/movies/recommendations?n=8", headers=headers)
    else:
        response = client.post("/api/v1/events", body, "application/json", headers=headers)
    answers[f"{'GET' if body is None else 'POST'} {response.status_code}"] += 1
    if response.status_code >= 400:
        print(response.content.decode(), file=sys.stderr)
print(json.dumps(answers))
"""


@dataclass(frozen=True)
class Story:
    """What is said of the film in one slot, in this order, and what that makes of its impression."""

    acts: Sequence[dict[str, Any]]
    outcome: str
    clicked: bool = False
    stars: float | None = None
    is_rated: bool = False
    dismissed: bool = False
    favorite: bool = False

    @property
    def facts(self) -> tuple[Any, ...]:
        return self.outcome, self.clicked, self.stars, self.is_rated, self.dismissed, self.favorite


def act(kind: str, stars: float | None = None) -> dict[str, Any]:
    return {"event_type": kind} if stars is None else {"event_type": kind, "rating": stars}


# One a slot; the last slot hears nothing.
STORIES = [
    Story([act("click")], "success", clicked=True),
    Story([act("rate", 5), act("rate", 1.5)], "failure", stars=1.5, is_rated=True),
    Story([act("rate", 2), act("unrate"), act("rate", 4.5)], "success", stars=4.5, is_rated=True),
    Story([act("click"), act("dismiss")], "failure", clicked=True, dismissed=True),
    Story([act("dismiss"), act("undismiss"), act("favorite")], "success", favorite=True),
    Story([act("rate", 4), act("unrate"), act("favorite"), act("unfavorite")], "pending"),
    Story([act("thumbs_up"), act("thumbs_down"), act("view")], "failure", clicked=True),
    Story([], "pending"),
]


def shown_to(viewer: User) -> list[int]:
    """The event ids of a list that the viewer was shown."""
    request = SlateRequest(viewer=viewer, unit_key=viewer.unit_key, counted=True, surface="api", n=LENGTH)
    return [slot.event_id for slot in recommend(request).slots if slot.event_id is not None]


def acts_on(event_ids: Sequence[int], token: str) -> list[tuple[str, dict[str, Any]]]:
    start = datetime.now(UTC) - timedelta(hours=1)
    events = RecommendationEvent.objects.in_bulk(event_ids)
    return [
        (
            token,
            {
                "item_id": events[event_id].movie_id,
                "event_id": event_id,
                "client_id": f"{event_id}-{number}",
                "occurred_at": (start + timedelta(minutes=number)).isoformat(),
                **one,
            },
        )
        for event_id, story in zip(event_ids, STORIES, strict=True)
        for number, one in enumerate(story.acts)
    ]


def turned(order: list[Any], start: int) -> list[Any]:
    """All of it from another beginning, every other one backwards, with requests for films between."""
    said = order[start:] + order[:start]
    asking = [(token, None) for token in {token for token, _ in order}] * SLATES_EACH
    step = max(1, len(said) // len(asking))
    mixed = list(reversed(said)) if start % 2 else said
    for number, question in enumerate(asking):
        mixed.insert(number * (step + 1), question)
    return mixed


def facts(event: RecommendationEvent) -> tuple[Any, ...]:
    return (
        event.outcome,
        event.clicked,
        event.rating_value,
        event.rated,
        event.dismissed,
        event.added_to_favorites,
    )


def assert_slates_whole(number: int) -> None:
    """Every slate has its rows, each of another film."""
    slates = Slate.objects.annotate(n_rows=Count("events"), n_films=Count("events__movie", distinct=True))
    assert slates.count() == number
    assert set(slates.values_list("n_rows", "n_films", "n_returned", "degraded")) == {(8, 8, 8, "")}


def assert_stories_told(shown: Mapping[int, Sequence[int]], totals: dict[int, tuple[float, int]]) -> None:
    """Impressions and films, whose counts were ``totals`` before, are what the stories make of them."""
    for event_ids in shown.values():
        events = RecommendationEvent.objects.in_bulk(event_ids)
        for event_id, story in zip(event_ids, STORIES, strict=True):
            assert facts(events[event_id]) == story.facts
            if story.stars is not None:
                total, count = totals[events[event_id].movie_id]
                totals[events[event_id].movie_id] = (total + story.stars, count + 1)
    assert ratings_of_films() == totals


def ratings_of_films() -> dict[int, tuple[float, int]]:
    return {pk: (total, count) for pk, total, count in Movie.objects.values_list(*COUNTS)}


@pytest.mark.django_db(transaction=True)
def test_all_at_once_come_to_what_one_after_the_other_would() -> None:
    make_house()
    totals, viewers = ratings_of_films(), [make_user() for _ in range(VIEWERS)]
    shown = {viewer.pk: shown_to(viewer) for viewer in viewers}
    order = [
        one for viewer in viewers for one in acts_on(shown[viewer.pk], str(AccessToken.for_user(viewer)))
    ]
    printed = run_at_once(TALK, [turned(order, 7 * number) for number in range(PROCESSES)])
    answers: Counter[str] = sum((Counter(json.loads(one)) for one in printed), Counter())
    asked, replays = PROCESSES * SLATES_EACH * VIEWERS, (PROCESSES - 1) * len(order)
    assert answers == {"GET 200": asked, "POST 201": len(order), "POST 200": replays}
    assert Feedback.objects.count() == len(order)
    assert_slates_whole(VIEWERS + asked)
    assert_stories_told(shown, totals)
    stars = Rating.objects.filter(user__in=viewers).exclude(value=None).values_list("value", flat=True)
    assert sorted(stars) == sorted([1.5, 4.5] * VIEWERS)
    for flag in (Dismissal, Favorite):
        assert flag.objects.filter(is_active=True).count() == VIEWERS


# The same browser in several windows: each says the same thing, and one of its own.
FIRST_WORDS = """
from django.test import Client
cookies, token, movie_id, number = order
client = Client(raise_request_exception=False, SERVER_NAME="127.0.0.1")
client.cookies.load(cookies)
said = []
for client_id in ("the-same", f"own-{number}"):
    body = {"item_id": movie_id, "event_type": "click", "client_id": client_id}
    response = client.post("/api/v1/events", body, "application/json", headers={"X-CSRFToken": token})
    said.append(response.status_code)
    if response.status_code >= 400:
        print(response.content.decode(), file=sys.stderr)
print(json.dumps(said))
"""


@pytest.mark.django_db(transaction=True)
def test_a_visitor_who_speaks_in_several_windows_at_once_becomes_one_guest() -> None:
    make_house()
    visitor = guest()
    slate = visitor.send("GET", "/api/v1/movies/recommendations").json()
    movie_id = slate["recommendations"][0]["movie_id"]
    cookies = {name: morsel.value for name, morsel in visitor.browser.cookies.items()}
    token = visitor.headers["X-CSRFToken"]
    printed = run_at_once(FIRST_WORDS, [(cookies, token, movie_id, number) for number in range(PROCESSES)])
    first, own = zip(*(json.loads(one) for one in printed), strict=True)
    assert (sorted(first), own) == ([200] * (PROCESSES - 1) + [201], (201,) * PROCESSES)
    one = User.objects.get(is_guest=True)
    assert Feedback.objects.filter(user=one, unit_key=one.unit_key).count() == 1 + PROCESSES
    assert set(Slate.objects.values_list("unit_key", "user")) == {(one.unit_key, one.pk)}
    event = RecommendationEvent.objects.get(movie_id=movie_id)
    assert (event.user, event.clicked, event.outcome) == (one, True, "success")
