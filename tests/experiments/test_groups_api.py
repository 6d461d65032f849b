"""``/users/{user_id}/experiment-group``: where one stands to an experiment that runs."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.experiments.services import assign, override, pause
from apps.experiments.services.designing import SEGMENTS
from tests.callers import bearer
from tests.experiments.setup import HYBRID, make_running, make_running_recipes
from tests.factories import make_api_key, make_rating, make_staff, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable")]


def asked(
    client: Client, user: User, key: str = "test", *, by: User | None = None, **headers: str
) -> tuple[int, Any]:
    sent = headers or dict(bearer(by or user).headers)
    path = f"/api/v1/users/{user.pk}/experiment-group?experiment_id={key}"
    answer = client.get(path, headers=sent)
    return answer.status_code, answer.json()


def rate(user: User, n: int) -> None:
    for _ in range(n):
        make_rating(user)


def groups(client: Client, users: Iterable[User], key: str = "test") -> set[tuple[str, str]]:
    """Groups and models."""
    told = [asked(client, user, key)[1] for user in users]
    return {(one["group_name"], one["model"]) for one in told}


def test_one_sees_the_variant_that_serves_oneself(client: Client) -> None:
    make_running("test")
    user = make_user()
    (served,) = assign(user.unit_key).served
    assert asked(client, user) == (
        200,
        {
            "user_id": user.pk,
            "group_name": served.variant,
            "model": {"control": "hybrid", "treatment": "popular"}[served.variant],
            "experiment_name": "Test test",
            "in_experiment": True,
            "reason": "assigned by the split",
        },
    )


def test_the_model_is_an_arm_a_policy_or_a_recipe(client: Client) -> None:
    mixed = {"policy": "fixed", "arms": {"hybrid": 0.5, "popular": 0.5}}
    make_running("test", strategies={"control": HYBRID, "treatment": mixed})
    make_running_recipes("across", recipes=["standard", "other"])
    users = [make_user() for _ in range(12)]
    assert groups(client, users) == {("control", "hybrid"), ("treatment", "fixed")}
    assert groups(client, users, "across") == {("standard", "standard"), ("other", "other")}


@pytest.mark.parametrize(("n_ratings", "segment"), [(0, "cold"), (5, "regular")])
def test_one_is_targeted_by_what_one_rated(client: Client, n_ratings: int, segment: str) -> None:
    others = tuple(one for one in SEGMENTS if one != segment)
    make_running("test", segments=(segment,), range_end=0.5)
    make_running("across", segments=others, range_start=0.5)
    user = make_user()
    rate(user, n_ratings)
    told = [asked(client, user, key)[1] for key in ("test", "across")]
    reasons = " ".join(one["reason"] for one in told)
    assert ("assigned by the split" in reasons) != (f"not targeted: the segment is {segment}" in reasons)


def test_who_is_in_no_group_is_told_why(client: Client) -> None:
    make_running("test", languages=("de",), range_end=1.0)
    user, staff = make_user(), make_staff()
    headers = dict(bearer(user).headers)
    _, told = asked(client, user, **headers, **{"Accept-Language": "fr-CH, de;q=0.5"})
    assert (told["group_name"], told["model"], told["in_experiment"]) == (None, None, False)
    assert told["reason"] == "not targeted: the language is fr, not de"
    assert asked(client, user, **headers, **{"Accept-Language": "de"})[1]["in_experiment"]
    said = "staff are in no experiment, unless they are put there by hand"
    assert asked(client, staff)[1]["reason"] == said
    override(key="test", unit_key=staff.unit_key, variant="treatment", by=None, reason="To show it")
    assert asked(client, staff)[1]["group_name"] == "treatment"


def test_others_are_asked_about_by_who_may_act_for_them(client: Client) -> None:
    make_running("test")
    user, actor = make_user(), make_staff(permissions=["accounts.act_for_users"])
    own = asked(client, user)
    assert asked(client, user, by=actor) == own
    key = {"Authorization": f"Api-Key {make_api_key('act_for_users')[1]}"}
    assert asked(client, user, **key) == own
    stranger = make_user()
    status, told = asked(client, user, by=stranger)
    said = f"You may act only for yourself: user_id must be {stranger.pk} or left out"
    assert (status, told["detail"]) == (403, said)
    missing = User(pk=user.pk + 1000)
    status, told = asked(client, missing, by=actor)
    assert (status, told["detail"]) == (404, f"There is no user {missing.pk}")


def test_an_experiment_that_does_not_run_is_not_found(client: Client, boss: User) -> None:
    make_running("test")
    pause(key="test", by=boss, reason="a look")
    for key in ("test", "none"):
        status, told = asked(client, make_user(), key)
        assert (status, told["detail"]) == (404, f"No experiment {key!r} runs.")
    user = make_user()
    path = f"/api/v1/users/{user.pk}/experiment-group"
    answer = client.get(path, headers=bearer(user).headers)
    assert (answer.status_code, answer.json()["detail"]) == (400, "This field is required.")


def test_queries_do_not_grow_with_experiments_and_ratings(client: Client) -> None:
    user, counts = make_user(), []
    for number in range(2):
        make_running(f"test-{number}", range_start=number / 2, range_end=(number + 1) / 2)
        rate(user, 3)
        with CaptureQueriesContext(connection) as captured:
            assert asked(client, user, "test-0")[0] == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 7
