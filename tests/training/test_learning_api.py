"""``/learning``, ``/analytics/model`` and ``/training/runs``."""

from typing import Any

import pytest

from apps.core.models import AuditEntry
from apps.training.models import ModelUpdateLog, TrainingRun
from apps.training.services import request_run, train
from tests.callers import Caller, bearer
from tests.factories import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Caller:
    return bearer(make_staff(permissions=["training.view_trainingrun", "training.add_trainingrun"]))


def test_statistics_before_anything_was_fitted(staff: Caller) -> None:
    assert staff.send("GET", "/api/v1/learning/stats").json() == {
        "recipe": "standard",
        "model_version": None,
        "auto_update": True,
        "buffer_size": 0,
        "update_threshold": 50,
        "update_interval_hours": 6.0,
        "should_update": False,
        "seconds_since_update": None,
        "total_processed": 0,
        "total_updates": 0,
        "failed_updates": 0,
        "last_update": None,
    }


def test_statistics_and_log_after_a_fit(staff: Caller, films: Any) -> None:
    version = train(trigger="nightly")
    told = staff.send("GET", "/api/v1/learning/stats").json()
    assert (told["model_version"], told["total_processed"]) == (version.name, version.n_ratings)
    assert (told["total_updates"], told["failed_updates"]) == (1, 0)
    assert 0 <= told["seconds_since_update"] < 60
    (log,) = staff.send("GET", "/api/v1/analytics/model/updates").json()
    assert log == told["last_update"]
    assert (log["update_type"], log["update_trigger"], log["success"]) == ("full_retrain", "nightly", True)
    assert log["ratings_processed"] == version.n_ratings
    assert {"explained_variance_ratio", "n_components", "n_users", "n_movies", "ndcg"} <= set(log["metrics"])


def test_the_log_gives_the_last_ones_first_and_not_more_than_asked(staff: Caller) -> None:
    for number in range(4):
        ModelUpdateLog.objects.create(
            model_type="standard",
            update_type="warm_start_rebuild",
            update_trigger=f"number {number}",
            duration_seconds=1.0,
        )
    logs = staff.send("GET", "/api/v1/analytics/model/updates?limit=2").json()
    assert [log["update_trigger"] for log in logs] == ["number 3", "number 2"]
    refused = staff.send("GET", "/api/v1/analytics/model/updates?limit=101")
    assert refused.status_code == 400


@pytest.mark.parametrize("n_logs", [2, 20])
def test_the_log_takes_the_same_queries_for_any_number(
    staff: Caller, n_logs: int, django_assert_num_queries: Any
) -> None:
    for _ in range(n_logs):
        ModelUpdateLog.objects.create(
            model_type="standard", update_type="full_retrain", update_trigger="test", duration_seconds=1.0
        )
    staff.send("GET", "/api/v1/analytics/model/updates?limit=20")
    # The account and its permissions, and the log.
    with django_assert_num_queries(4):
        assert len(staff.send("GET", "/api/v1/analytics/model/updates?limit=20").json()) == n_logs


@pytest.mark.parametrize(
    ("path", "body", "update_type"),
    [
        ("analytics/model/force-update", {"update_type": "full_retrain"}, "full_retrain"),
        ("analytics/model/force-update", {"update_type": "warm_start"}, "warm_start_rebuild"),
        ("learning/trigger-update", {}, "warm_start_rebuild"),
    ],
)
def test_staff_ask_for_a_fit_and_follow_it(
    staff: Caller, path: str, body: dict[str, str], update_type: str
) -> None:
    answer = staff.send("POST", f"/api/v1/{path}", body)
    run = TrainingRun.objects.get()
    url = f"/api/v1/training/runs/{run.pk}"
    assert (answer.status_code, answer.json()) == (202, {"run_id": run.pk, "status_url": url})
    followed = staff.send("GET", url).json()
    assert (followed["status"], followed["phase"], followed["version"]) == ("running", "requested", None)
    assert (followed["recipe"], followed["update_type"], followed["trigger"]) == (
        "standard",
        update_type,
        "manual",
    )
    assert AuditEntry.objects.get(action="training.start").target_id == str(run.pk)


def test_a_run_says_which_version_it_made(staff: Caller, films: Any) -> None:
    version = train()
    followed = staff.send("GET", f"/api/v1/training/runs/{version.run_id}").json()
    assert (followed["status"], followed["version"]) == ("succeeded", version.name)
    assert len(followed["steps"]) == followed["n_steps"]
    said = f"Version {version.name} passed, and is the live version of recipe 'standard'."
    assert followed["log"][-1]["line"] == said


def test_a_second_one_is_refused_while_one_runs(staff: Caller) -> None:
    run = request_run(recipe="standard", trigger="test")
    answer = staff.send("POST", "/api/v1/learning/trigger-update", {})
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        f"Training is already running (run {run.pk} of recipe 'standard', requested): one run at a time;"
        " start again when it has ended.",
    )


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "This field is required."),
        ({"update_type": "half"}, '"half" is not a valid choice.'),
        (
            {"update_type": "warm_start", "recipe": "spicy"},
            "There is no recipe 'spicy'; the recipes are: standard.",
        ),
    ],
)
def test_what_cannot_be_asked_for_is_refused(staff: Caller, films: Any, body: Any, detail: str) -> None:
    train()
    answer = staff.send("POST", "/api/v1/analytics/model/force-update", body)
    assert answer.status_code in {400, 404}
    assert detail in answer.content.decode().replace('\\"', '"')


def test_a_run_that_is_not_there_is_not_found(staff: Caller) -> None:
    answer = staff.send("GET", "/api/v1/training/runs/99")
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no training run 99")
