"""``GET /movies/recommendations``, ``POST /recommend`` and ``GET /movies/{id}/similar``."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.algorithms.registry import ARMS
from apps.events.models import Slate
from tests.callers import bearer
from tests.factories import make_api_key, make_staff, make_user

pytestmark = pytest.mark.django_db
URL = "/api/v1/movies/recommendations"


def get(client: Client, url: str, who: User | str | None = None) -> Any:
    headers = (
        bearer(who).headers if isinstance(who, User) else {"Authorization": f"Api-Key {who}"} if who else {}
    )
    return client.get(url, headers=headers)


def test_a_slate_has_the_shape_that_is_promised(client, house, fan):
    slate = get(client, f"{URL}?n=3", fan).json()
    assert list(slate) == [
        "recommendation_id", "user_id", "surface", "strategy", "recipe", "model_version", "policy_version",
        "experiment", "experiments", "overridden_by", "degraded", "context", "recommendations",
    ]  # fmt: skip
    assert list(slate["recommendations"][0]) == [
        "event_id", "movie_id", "title", "position", "score", "algorithm", "confidence", "propensity",
        "predicted_rating", "reason",
    ]  # fmt: skip
    assert list(slate["context"]) == [
        "time_of_day", "day_type", "user_segment", "genre_saturation", "session_position",
    ]  # fmt: skip
    assert (slate["user_id"], slate["surface"], slate["strategy"]) == (fan.pk, "api", "hybrid")
    assert [slot["position"] for slot in slate["recommendations"]] == [1, 2, 3]


def test_a_first_hit_without_a_cookie_is_not_logged_and_the_second_is(client, house):
    first, second = get(client, URL).json(), get(client, URL).json()
    assert (first["recommendation_id"], first["strategy"]) == (None, "popular")
    assert Slate.objects.get().pk.hex == second["recommendation_id"].replace("-", "")


@pytest.mark.parametrize(
    ("query", "pointer", "detail"),
    [
        ("n=0", "?n", "Ensure this value is greater than or equal to 1."),
        ("n=101", "?n", "Ensure this value is less than or equal to 100."),
        ("n=１２", "?n", "A whole number is needed."),
        ("diversity=1.1", "?diversity", "Ensure this value is less than or equal to 1."),
        ("diversity=nan", "?diversity", "A finite number is needed."),
        ("exclude=1,x", "?exclude", "Give film ids, comma-separated."),
        ("genre=Opera", "?genre", "There is no genre 'Opera'; GET /movies shows each film's genres"),
        ("timezone=Mars/Olympus", "?timezone", "timezone must be an IANA name such as Europe/Berlin"),
        ("page=1", "?page", None),
        ("n=1&n=2", "?n", "This parameter was given more than once"),
        (
            "algorithm=magic",
            "?algorithm",
            f"There is no algorithm 'magic'; there are: {', '.join(ARMS)}",
        ),
    ],
)
def test_refuses_queries_that_make_no_sense(client, fan, query, pointer, detail):
    answer = get(client, f"{URL}?{query}", fan)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    error = answer.json()["errors"][0]
    assert error["pointer"] == pointer
    assert detail is None or error["detail"] == detail


def test_only_staff_and_programs_choose_an_algorithm(client, fan):
    refused = get(client, f"{URL}?algorithm=svd", fan)
    assert refused.status_code == 403
    assert (
        refused.json()["detail"] == "Only staff, and programs that act for users, may choose this algorithm"
    )
    slate = get(client, f"{URL}?algorithm=svd", make_staff()).json()
    assert (slate["strategy"], slate["overridden_by"]) == ("svd", "algorithm")


def test_a_program_is_served_for_the_user_it_names_under_that_users_unit(client, fan):
    _, key = make_api_key("act_for_users")
    slate = get(client, f"{URL}?user_id={fan.pk}", key).json()
    row = Slate.objects.get(pk=slate["recommendation_id"])
    assert (slate["user_id"], row.unit_key, row.counted) == (fan.pk, fan.unit_key, True)


def test_nobody_is_served_as_somebody_else(client, fan):
    other = make_user()
    answer = get(client, f"{URL}?user_id={fan.pk}", other)
    assert answer.status_code == 403
    assert answer.json()["detail"] == f"You may act only for yourself: user_id must be {other.pk} or left out"


def test_the_viewers_zone_decides_the_time_of_day(client, fan, time_machine_at_noon):
    fan.timezone = "Pacific/Auckland"
    fan.save(update_fields=["timezone"])
    assert get(client, URL, fan).json()["context"]["time_of_day"] == "night"
    other = make_user()
    slate = get(client, f"{URL}?timezone=America/New_York", other).json()
    assert slate["context"]["time_of_day"] == "morning"


def test_the_fourth_list_of_a_session_is_late(client, fan):
    positions = [get(client, URL, fan).json()["context"]["session_position"] for _ in range(4)]
    assert positions == ["early", "early", "early", "late"]


def test_recommend_takes_a_wish_that_it_may_not_grant(client, fan):
    body = {"user_id": fan.pk, "n_recommendations": 2, "model_type": "svd"}
    answer = client.post("/api/v1/recommend", body, "application/json", headers=bearer(fan).headers)
    slate = answer.json()
    assert (slate["strategy"], slate["overridden_by"], len(slate["recommendations"])) == ("hybrid", None, 2)


def test_recommend_refuses_a_wish_for_what_there_is_not(client, fan):
    answer = client.post(
        "/api/v1/recommend", {"model_type": "magic"}, "application/json", headers=bearer(fan).headers
    )
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/model_type")


def test_recommend_grants_the_wish_of_staff(client, house):
    body = {"n_recommendations": 2, "model_type": "svd"}
    answer = client.post("/api/v1/recommend", body, "application/json", headers=bearer(make_staff()).headers)
    assert (answer.json()["strategy"], answer.json()["overridden_by"]) == ("svd", "algorithm")


def test_similar_films_are_a_bare_list(client, house):
    film = house.comedy[0]
    answer = get(client, f"/api/v1/movies/{film.pk}/similar?n=4").json()
    assert {row["movie_id"] for row in answer} <= {other.pk for other in house.comedy[1:]} | {
        other.pk for other in house.horror
    }
    assert [list(row) for row in answer] == [["movie_id", "title", "score", "reason"]] * 4


def test_films_are_similar_for_a_first_hit_without_a_cookie_too(client, house):
    answer = get(client, f"/api/v1/movies/{house.comedy[0].pk}/similar?n=8").json()
    assert {row["movie_id"] for row in answer} <= {film.pk for film in house.comedy[1:]}
    assert not Slate.objects.exists()


def test_there_are_no_films_like_one_that_is_not_there(client, house):
    answer = get(client, "/api/v1/movies/987654/similar")
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no film 987654")
