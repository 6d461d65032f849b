"""``POST /events``, the older addresses, and one's own lists."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.events.models import Feedback, RecommendationEvent, Slate
from apps.ratings.models import Dismissal, Favorite, Rating, Thumb, WatchlistItem
from apps.ratings.querysets import history_rows
from apps.training.models import TrainingRun
from tests.callers import bearer
from tests.factories import make_api_key, make_movie, make_rating, make_user
from tests.house import House
from tests.rows import make_impression

pytestmark = pytest.mark.django_db
EVENTS = "/api/v1/events"


@pytest.fixture
def viewer() -> User:
    return make_user()


@pytest.fixture
def movie() -> Movie:
    return make_movie("Alien", year=1979)


def send(method: str, url: str, who: User | None, body: Any = None) -> Any:
    headers = bearer(who).headers if who else {}
    return Client().generic(
        method, url, b"" if body is None else dumps(body), "application/json", headers=headers
    )


def dumps(body: Any) -> bytes:
    import orjson

    return orjson.dumps(body)


def test_a_new_event_is_201_and_its_repeat_200(viewer, movie):
    body = {"item_id": movie.pk, "event_type": "rate", "rating": 4.5, "client_id": "a-1"}
    first, again = send("POST", EVENTS, viewer, body), send("POST", EVENTS, viewer, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json() == {
        "status": "success",
        "feedback_id": Feedback.objects.get().pk,
        "event_id": None,
        "online_learning": {"buffer_size": 1, "should_update": False, "total_processed": 0},
        "model_update": None,
    }


def test_a_batch_answers_for_each_and_keeps_the_good_ones(viewer, movie):
    events = [
        {"item_id": movie.pk, "event_type": "click", "client_id": "b-1"},
        {"item_id": 987654, "event_type": "click"},
        {"item_id": movie.pk, "event_type": "rate"},
        {"item_id": movie.pk, "event_type": "sneeze"},
        {"item_id": movie.pk, "event_type": "click", "client_id": "b-1"},
    ]
    results = send("POST", EVENTS, viewer, {"events": events}).json()["results"]
    assert [row["status"] for row in results] == ["success", "refused", "refused", "refused", "success"]
    assert [row.get("is_new") for row in results] == [True, None, None, None, False]
    assert [row["problem"]["status"] for row in results[1:4]] == [404, 400, 400]
    assert Feedback.objects.count() == 1


@pytest.mark.parametrize("bad", [7, None, "click", [], [{}]])
def test_a_member_of_a_batch_that_is_no_object_leaves_the_others_alone(viewer, movie, bad):
    good = {"item_id": movie.pk, "event_type": "click"}
    answer = send("POST", EVENTS, viewer, {"events": [good, bad]})
    kept, refused = answer.json()["results"]
    assert (answer.status_code, kept["status"], refused["problem"]["status"]) == (200, "success", 400)
    assert refused["problem"]["detail"] == (
        'An act is a JSON object, such as {"item_id": 186, "event_type": "click"}'
    )
    assert Feedback.objects.get().movie_id == movie.pk


def test_a_batch_of_more_than_500_is_refused(viewer, movie):
    answer = send("POST", EVENTS, viewer, {"events": [{"item_id": movie.pk, "event_type": "click"}] * 501})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["detail"] == "Ensure this field has no more than 500 elements."


def test_the_first_word_of_a_visitor_makes_a_guest_who_owns_what_was_shown(house: House):
    client = Client(enforce_csrf_checks=True)
    client.get("/about")
    client.get("/log-in")
    slate = client.get("/api/v1/movies/recommendations?n=2").json()
    slot = slate["recommendations"][0]
    token = client.cookies["csrftoken"].value
    body = {"item_id": slot["movie_id"], "event_type": "click", "event_id": slot["event_id"]}
    answer = client.post(EVENTS, body, "application/json", headers={"X-CSRFToken": token})
    assert (answer.status_code, answer.json()["event_id"]) == (201, slot["event_id"])
    guest = User.objects.get(is_guest=True)
    assert Slate.objects.get().user_id == guest.pk
    assert set(RecommendationEvent.objects.values_list("user_id", flat=True)) == {guest.pk}


def test_another_viewers_event_is_404(viewer):
    event = make_impression()
    body = {"item_id": event.movie_id, "event_type": "click", "event_id": event.pk}
    answer = send("POST", EVENTS, viewer, body)
    assert (answer.status_code, answer.json()["detail"]) == (404, f"There is no event {event.pk} of yours")


def test_an_event_of_another_film_is_400(viewer, movie):
    event = make_impression(viewer)
    answer = send("POST", EVENTS, viewer, {"item_id": movie.pk, "event_type": "click", "event_id": event.pk})
    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {"pointer": "/event_id", "detail": f"Event {event.pk} showed another film, not {movie.pk}"}
    ]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"rating": 4.3}, "/rating"),
        ({"rating": "4"}, None),
        ({"rating": True}, "/rating"),
        ({"item_id": "１２"}, "/item_id"),
        ({"item_id": 2**63}, "/item_id"),
        ({"client_id": "x" * 65}, "/client_id"),
        ({"recommendation_id": "nonsense"}, "/recommendation_id"),
        ({"occurred_at": "yesterday"}, "/occurred_at"),
        ({"user": 1}, "/user"),
    ],
)
def test_refuses_fields_that_make_no_sense(viewer, movie, change, pointer):
    answer = send("POST", EVENTS, viewer, {"item_id": movie.pk, "event_type": "rate", "rating": 4.0} | change)
    if pointer is None:
        assert answer.status_code == 201
        return
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert not Feedback.objects.exists()


def test_a_program_speaks_for_the_user_it_names(viewer, movie):
    key = make_api_key("act_for_users")[1]
    body = {"item_id": movie.pk, "event_type": "favorite", "user_id": viewer.pk}
    answer = Client().post(EVENTS, body, "application/json", headers={"Authorization": f"Api-Key {key}"})
    assert answer.status_code == 201
    assert Favorite.objects.get().user_id == viewer.pk


@pytest.mark.parametrize(
    ("path", "extra", "kind"),
    [
        ("click", {}, "click"),
        ("rating", {"rating": 2.5}, "rate"),
        ("thumbs-up", {}, "thumbs_up"),
        ("thumbs-down", {}, "thumbs_down"),
    ],
)
def test_the_older_addresses_say_the_same(viewer, movie, path, extra, kind):
    body = {"user_id": viewer.pk, "movie_id": movie.pk, **extra}
    assert send("POST", f"/api/v1/analytics/track/{path}", viewer, body).status_code == 201
    assert Feedback.objects.get().kind == kind


def test_the_oldest_addresses_name_the_viewer_in_the_path(viewer, movie):
    other = make_user()
    mine = f"/api/v1/analytics/track/favorite/{viewer.pk}/{movie.pk}"
    assert send("POST", mine, viewer).status_code == 201
    assert send("POST", f"/api/v1/analytics/track/watchlist/{other.pk}/{movie.pk}", viewer).status_code == 403
    assert (Favorite.objects.count(), WatchlistItem.objects.count()) == (1, 0)


@pytest.mark.parametrize(
    ("name", "model"),
    [("favorites", Favorite), ("watchlist", WatchlistItem), ("dismissals", Dismissal)],
)
def test_a_list_of_ones_own_is_put_read_and_taken_back(viewer, movie, name, model):
    url = f"/api/v1/{name}/{movie.pk}"
    assert send("GET", url, viewer).status_code == 404
    assert send("PUT", url, viewer).status_code == 201
    assert send("GET", url, viewer).json()["title"] == "Alien"
    assert [row["movie_id"] for row in send("GET", f"/api/v1/{name}", viewer).json()["results"]] == [movie.pk]
    assert send("DELETE", url, viewer).status_code == 201
    assert send("GET", f"/api/v1/{name}", viewer).json()["count"] == 0
    assert model.objects.get().is_active is False


def test_a_rating_is_put_read_and_taken_back(viewer, movie):
    url = f"/api/v1/ratings/{movie.pk}"
    assert send("PUT", url, viewer, {"rating": 3.5}).status_code == 201
    assert send("GET", url, viewer).json()["rating"] == 3.5
    send("DELETE", url, viewer)
    assert (send("GET", url, viewer).status_code, Rating.objects.get().value) == (404, None)


@pytest.mark.parametrize(
    ("name", "body"),
    [("ratings", {"rating": 4}), ("favorites", None), ("watchlist", None), ("dismissals", None)],
)
def test_what_was_said_of_a_hidden_film_is_taken_back_but_nothing_new_is_said(viewer, movie, name, body):
    url = f"/api/v1/{name}/{movie.pk}"
    send("PUT", url, viewer, body)
    Movie.objects.update(is_available=False)
    assert len(history_rows(viewer.pk)) == 1
    assert send("DELETE", url, viewer).status_code == 201
    assert history_rows(viewer.pk) == []
    refusal = send("PUT", url, viewer, body)
    assert (refusal.status_code, refusal.json()["detail"]) == (404, f"There is no film {movie.pk}")


def test_a_thumb_is_taken_off_a_hidden_film(viewer, movie):
    send("POST", EVENTS, viewer, {"item_id": movie.pk, "event_type": "thumbs_up"})
    Movie.objects.update(is_available=False)
    clearing = {"item_id": movie.pk, "event_type": "thumbs_clear"}
    assert send("POST", EVENTS, viewer, clearing).status_code == 201
    assert Thumb.objects.get().direction == 0


def test_lists_are_ones_own(viewer, movie):
    make_rating(make_user(), movie, 5.0)
    assert send("GET", "/api/v1/ratings", viewer).json()["results"] == []
    assert send("GET", f"/api/v1/ratings?user_id={make_user().pk}", viewer).status_code == 403


def test_what_a_film_is_to_the_viewer(viewer, movie):
    for kind in ("favorite", "thumbs_up"):
        send("POST", EVENTS, viewer, {"item_id": movie.pk, "event_type": kind})
    assert send("GET", f"/api/v1/movies/{movie.pk}", viewer).json()["my"] == {
        "rating": None,
        "favorite": True,
        "watchlist": False,
        "thumb": "up",
        "dismissed": False,
        "predicted_rating": None,
    }
    assert Thumb.objects.get().direction == 1


def test_the_rating_that_reaches_the_threshold_asks_for_an_update(viewer, house: House, settings):
    settings.UPDATE_THRESHOLD = 2
    first, second, third = (
        send("POST", EVENTS, viewer, {"item_id": film.pk, "event_type": "rate", "rating": 4.0}).json()
        for film in house.horror[:3]
    )
    assert (first["online_learning"]["should_update"], first["model_update"]) == (False, None)
    run = TrainingRun.objects.get(status="running")
    assert second["online_learning"]["should_update"]
    url = f"/api/v1/training/runs/{run.pk}"
    assert second["model_update"] == {"triggered": True, "run_id": run.pk, "status_url": url}
    assert (run.trigger, run.update_type, run.phase) == (
        "threshold_reached_2",
        "warm_start_rebuild",
        "requested",
    )
    # One is under way: what comes meanwhile waits for the next.
    assert third["model_update"] is None


def test_a_batch_asks_for_one_update_after_all_of_it(viewer, house: House, settings):
    settings.UPDATE_THRESHOLD = 1
    film = house.horror[0].pk
    rate = {"item_id": film, "event_type": "rate", "rating": 4.0}
    answer = send("POST", EVENTS, viewer, {"events": [rate, {"item_id": film, "event_type": "click"}]}).json()
    run = TrainingRun.objects.get(status="running")
    assert answer["online_learning"]["buffer_size"] == 1
    assert answer["model_update"]["run_id"] == run.pk


def test_with_updates_off_ratings_only_wait(viewer, house: House, settings):
    settings.UPDATE_THRESHOLD, settings.AUTO_UPDATE = 1, False
    body = {"item_id": house.horror[0].pk, "event_type": "rate", "rating": 4.0}
    answer = send("POST", EVENTS, viewer, body).json()
    assert (answer["online_learning"]["should_update"], answer["model_update"]) == (True, None)
    assert not TrainingRun.objects.filter(status="running").exists()
