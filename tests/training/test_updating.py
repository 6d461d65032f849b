"""Updates of the version that serves: what calls for one, what it makes, and what refuses it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.privacy import erase_user
from apps.algorithms.arms import item_cf
from apps.algorithms.arms.svd import Svd
from apps.algorithms.types import History
from apps.catalog.models import Movie
from apps.core.errors import Conflict
from apps.ratings.models import Rating, RatingDeparture
from apps.ratings.services import merge_preferences, record_preference
from apps.training.backlog import COMPACTION, RETRY_AFTER, Backlog, backlog, has_erasures, is_loose
from apps.training.corpus import corpus_folder
from apps.training.gate import read_checks
from apps.training.models import ModelUpdateLog, ModelVersion, Recipe, TrainingRun, UpdateType
from apps.training.registry import engine
from apps.training.services import forget_the_departed, request_if_due, request_run, sanity, train, update_due
from tests.experiments.setup import make_running_recipes
from tests.factories import make_user
from tests.training.acting import act

pytestmark = pytest.mark.django_db
WARM = UpdateType.WARM_START


def rate(movie: Movie, value: float | None = 5.0, user: User | None = None) -> None:
    record_preference(
        user_id=(user or make_user()).pk,
        movie_id=movie.pk,
        kind="rate" if value else "unrate",
        value=value,
        at=timezone.now(),
    )


def rate_together(first: Movie, second: Movie, n_people: int = 5) -> None:
    for _ in range(n_people):
        user = make_user()
        rate(first, user=user)
        rate(second, user=user)


def corpora() -> list[str]:
    return sorted(path.name for path in corpus_folder().iterdir())


def told() -> ModelUpdateLog:
    log = ModelUpdateLog.objects.first()
    assert log is not None
    return log


def test_an_update_serves_and_the_log_says_why(live: ModelVersion, films: list[Movie]) -> None:
    rate_together(films[0], films[-1])
    version = train(update_type=WARM, trigger="threshold_reached_10")
    live.refresh_from_db()
    assert (version.status, live.status, version.update_type) == ("live", "retired", "warm_start_rebuild")
    assert (version.n_ratings, version.n_users) == (live.n_ratings + 10, live.n_users + 5)
    log = told()
    assert (log.model_type, log.update_type, log.update_trigger) == (
        "standard",
        "warm_start_rebuild",
        "threshold_reached_10",
    )
    assert (log.ratings_processed, log.success, log.version, log.run) == (10, True, version.name, version.run)
    assert log.metrics["n_movies"] == len(films)
    assert log.metrics["n_components"] > 0
    assert 0 < log.metrics["explained_variance_ratio"] <= 1
    assert log.metrics["rows_read"] == 10
    assert [check["name"] for check in log.metrics["checks"]] == ["nDCG@10", "overlap", "coverage"]


def test_an_update_logs_what_came_and_how_it_compares(live: ModelVersion, films: list[Movie]) -> None:
    rate_together(films[0], films[-1])
    version = train(update_type=WARM)
    assert version.run is not None
    version.run.refresh_from_db()
    log = [said["line"] for said in version.run.log]
    since = f"{live.read_at:%Y-%m-%d %H:%M:%S} UTC"
    assert f"Since {since} 10 ratings came, changed or went; read 10 rows." in log
    checks = read_checks(version.checks)
    assert checks
    for check in checks:
        assert f"{check.name}: {check.told_figure}, limit {check.told_limit}: passed." in log


def test_two_films_that_people_rated_together_are_closer_than_before(
    live: ModelVersion, films: list[Movie]
) -> None:
    def closeness() -> float:
        current = engine()
        assert current is not None
        arm = current.arms["item_cf"]
        history = History(np.array([0]), np.array([5.0], dtype=np.float32))
        return float(arm.scores([history])[0, len(films) - 1])

    before = closeness()
    rate_together(films[0], films[-1])
    train(update_type=WARM)
    assert closeness() > before


def test_a_second_update_goes_on_where_the_first_stopped(live: ModelVersion, films: list[Movie]) -> None:
    rate_together(films[0], films[-1])
    train(update_type=WARM)
    Rating.objects.update(updated_at=timezone.now() - timedelta(days=1))
    rate_together(films[1], films[-1], n_people=2)
    version = train(update_type=WARM)
    assert (told().ratings_processed, version.metrics["rows_read"]) == (4, 4)
    assert version.n_ratings == Rating.objects.count()


def test_only_what_the_live_version_was_fitted_on_is_kept(live: ModelVersion, films: list[Movie]) -> None:
    assert corpora() == [live.name]
    assert corpus_folder().stat().st_mode & 0o777 == 0o700
    rate(films[-1])
    version = train(update_type=WARM)
    assert corpora() == [version.name]


def test_what_did_not_change_is_not_written_again(
    live: ModelVersion, films: list[Movie], own_artifacts: Path
) -> None:
    rate(films[-1], user=User.objects.filter(is_imported=True).first())
    version = train(update_type=WARM)
    files = [own_artifacts / each.artifact / "arm_item_cf.weights.npy" for each in (live, version)]
    assert files[0].samefile(files[1])
    assert version.metrics["written_bytes"] < version.metrics["artifact_bytes"]


def test_a_full_retrain_shares_no_file(live: ModelVersion, own_artifacts: Path) -> None:
    version = train()
    for file in (own_artifacts / version.artifact).iterdir():
        assert file.stat().st_nlink == 1


def test_with_nothing_said_the_live_version_stays(live: ModelVersion) -> None:
    assert train(update_type=WARM) == live
    assert ModelVersion.objects.count() == 1
    assert (told().ratings_processed, told().success, told().version) == (0, True, live.name)
    before = live.read_at
    live.refresh_from_db()
    assert live.read_at > before


@pytest.mark.parametrize("lost", ["folder", "file", "content"])
def test_without_what_it_was_fitted_on_the_update_is_a_full_retrain(
    live: ModelVersion, films: list[Movie], lost: str
) -> None:
    file = corpus_folder() / live.name / "people.ids.npy"
    if lost == "folder":
        (corpus_folder() / live.name).rename(corpus_folder() / "elsewhere")
    elif lost == "file":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1] + b"\xff")
    rate(films[-1])
    version = train(update_type=WARM)
    assert (version.update_type, version.status) == ("full_retrain", "live")
    said = f"Fitted from nothing: what {live.name} was fitted on cannot be read. "
    assert version.metrics["warnings"][0].startswith(said)
    assert told().update_type == "full_retrain"


def test_without_a_version_the_update_is_a_full_retrain(films: list[Movie]) -> None:
    version = train(update_type=WARM)
    assert (version.update_type, version.status) == ("full_retrain", "live")
    assert version.metrics["warnings"] == ["Fitted from nothing: no version of the recipe serves"]


def test_a_damaged_version_is_fitted_anew(
    live: ModelVersion, films: list[Movie], own_artifacts: Path
) -> None:
    file = own_artifacts / live.artifact / "arm_svd.factors.npy"
    file.write_bytes(file.read_bytes()[:-4])
    rate(films[-1])
    version = train(update_type=WARM)
    assert version.update_type == "full_retrain"
    assert (
        f"The live version {live.name} cannot be read. {file} is truncated" in version.metrics["warnings"][0]
    )


def test_an_update_keeps_the_parameters_that_serve(live: ModelVersion, films: list[Movie]) -> None:
    Recipe.objects.filter(name="standard").update(parameters={"svd": {"factors": 3}})
    rate(films[-1])
    assert train(update_type=WARM).parameters == live.parameters


def test_a_worse_version_is_refused_with_its_reason_and_the_one_before_serves(
    live: ModelVersion, films: list[Movie], monkeypatch: pytest.MonkeyPatch, own_artifacts: Path
) -> None:
    monkeypatch.setattr(sanity, "LEAST_NDCG_OF_FEW", 3.0)
    rate(films[-1])
    with pytest.raises(Conflict, match=r"^The version before serves on: nDCG@10 is "):
        train(update_type=WARM)
    refused = ModelVersion.objects.get(status="refused")
    live.refresh_from_db()
    assert live.status == "live"
    assert refused.run is not None
    assert (refused.run.status, refused.run.error) == ("refused", refused.refused_because)
    assert [check["passed"] for check in refused.checks] == [False, True, True]
    assert (told().success, told().error_message) == (False, refused.refused_because)
    assert (own_artifacts / refused.artifact).is_dir()
    assert corpora() == [live.name]


def test_an_arm_that_learns_no_numbers_is_refused(
    live: ModelVersion, films: list[Movie], monkeypatch: pytest.MonkeyPatch, own_artifacts: Path
) -> None:
    def broken(self: Svd, *_: Any) -> dict[str, Any]:
        return {"factors": np.full_like(self.arrays_["factors"], np.nan)}

    monkeypatch.setattr(Svd, "_updated", broken)
    rate(films[-1])
    with pytest.raises(Conflict, match=r"holds numbers that are not finite; the version before serves on\.$"):
        train(update_type=WARM)
    assert [path.name for path in own_artifacts.iterdir()] == [live.artifact]
    assert (told().success, told().version) == (False, "")


def test_fifty_ratings_call_for_an_update(live: ModelVersion, films: list[Movie], settings: Any) -> None:
    settings.UPDATE_THRESHOLD = 3
    rate(films[-1])
    rate(films[-1])
    assert backlog("standard") == Backlog(2, live.n_ratings, "", live.read_at)
    rate(films[-1])
    assert backlog("standard").trigger == "threshold_reached_3"


def test_a_withdrawn_rating_waits_like_any_other(
    live: ModelVersion, films: list[Movie], settings: Any
) -> None:
    settings.UPDATE_THRESHOLD = 1
    rating = Rating.objects.filter(movie=films[0]).first()
    assert rating is not None
    rate(films[0], None, user=rating.user)
    assert backlog("standard").should_update


def test_one_rating_calls_for_an_update_after_hours(live: ModelVersion, films: list[Movie]) -> None:
    ModelVersion.objects.update(read_at=timezone.now() - timedelta(hours=7))
    assert not backlog("standard").should_update
    rate(films[-1])
    assert backlog("standard").trigger == "interval_6h"


def test_after_a_failure_an_update_waits_for_an_hour_or_as_many_ratings_more(
    live: ModelVersion, films: list[Movie], settings: Any
) -> None:
    settings.UPDATE_THRESHOLD = 2
    rate(films[-1])
    rate(films[-1])
    run = request_run(recipe="standard", trigger="test", update_type=WARM)
    TrainingRun.objects.update(status=TrainingRun.Status.FAILED)
    assert not backlog("standard").should_update
    rate(films[-1])
    assert not backlog("standard").should_update
    rate(films[-1])
    assert backlog("standard").should_update
    between = live.read_at + (run.started_at - live.read_at) / 2
    Rating.objects.filter(updated_at__gt=run.started_at).update(updated_at=between)
    assert not backlog("standard").should_update
    begin_earlier(run, timezone.now() - RETRY_AFTER, live)
    assert backlog("standard").should_update


def begin_earlier(run: TrainingRun, at: datetime, live: ModelVersion) -> None:
    TrainingRun.objects.filter(pk=run.pk).update(started_at=at)
    ModelVersion.objects.filter(pk=live.pk).update(read_at=at - timedelta(minutes=1))


def test_nothing_is_asked_for_while_a_run_is_alive_or_with_updates_off(
    live: ModelVersion, settings: Any
) -> None:
    settings.AUTO_UPDATE = False
    assert request_if_due("standard", "threshold_reached_50") is None
    settings.AUTO_UPDATE = True
    assert request_if_due("standard", "") is None
    run = request_if_due("standard", "threshold_reached_50")
    assert run is not None
    assert (run.trigger, run.update_type, run.phase) == ("threshold_reached_50", WARM, "requested")
    assert request_if_due("standard", "threshold_reached_50") is None


def test_who_was_erased_is_forgotten_by_the_next_update_and_then_their_number_goes(
    live: ModelVersion, films: list[Movie]
) -> None:
    user = User.objects.filter(is_imported=True).first()
    assert user is not None
    number = user.pk
    erase_user(user)
    assert forget_the_departed() == 0
    version = train(update_type=WARM, trigger="erasure")
    assert number not in np.load(corpus_folder() / version.name / "people.ids.npy")
    assert version.n_users == live.n_users - 1
    ModelVersion.objects.filter(pk=version.pk).update(read_at=timezone.now() + timedelta(minutes=3))
    assert forget_the_departed() == 1
    assert RatingDeparture.objects.count() == 0


def test_what_serves_nobody_does_not_hold_on_to_who_was_erased(live: ModelVersion, settings: Any) -> None:
    settings.AUTO_UPDATE = False
    user = User.objects.filter(is_imported=True).first()
    assert user is not None
    erase_user(user)
    forget_the_departed()
    assert corpora() == []


def test_who_changed_accounts_is_read_anew_and_waits_for_it(live: ModelVersion, films: list[Movie]) -> None:
    guest = User.objects.filter(is_imported=True).first()
    assert guest is not None
    merge_preferences(model=Rating, from_id=guest.pk, to_id=make_user().pk)
    assert RatingDeparture.objects.count() == 2
    assert not has_erasures("standard")
    erase_user(guest)
    assert not has_erasures("standard")


def test_who_only_clicked_is_hurried_for_where_clicks_are_learned_from(films: list[Movie]) -> None:
    Recipe.objects.create(name="clicks", parameters={"data": {"clicks": 0.2}})
    viewer = make_user()
    act(viewer, films[0], "click")
    # While nothing serves there is nothing to test a recipe beside.
    for recipe in ("clicks", "standard"):
        train(recipe=recipe)
    erase_user(viewer)
    assert (has_erasures("standard"), has_erasures("clicks")) == (False, True)


def test_what_updates_leave_beside_is_worked_in_when_nobody_waits(
    live: ModelVersion, films: list[Movie], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_cf, "KEPT_RANK", 0)
    rate(films[-1])
    updated = train(update_type=WARM)
    assert updated.metrics["loose"] == ["item_cf"]
    assert is_loose("standard")
    before = item_cf_scores()
    rate(films[-1])
    compacted = train(update_type=WARM, trigger=COMPACTION)
    assert (compacted.metrics["loose"], compacted.status) == ([], "live")
    assert (told().update_trigger, told().ratings_processed) == ("compaction", 0)
    np.testing.assert_allclose(item_cf_scores(), before, atol=1e-4)
    assert not is_loose("standard")
    assert (compacted.read_at, backlog("standard").buffer_size) == (updated.read_at, 1), "it waits on"
    assert train(update_type=WARM, trigger=COMPACTION) == compacted, "nothing is left to do"


def item_cf_scores() -> Any:
    serving = engine()
    assert serving is not None
    return serving.arms["item_cf"].scores([History(np.array([0, 3]), np.array([5.0, 4.0], np.float32))])


@pytest.mark.django_db(transaction=True)
def test_every_recipe_that_serves_somebody_is_updated(films: list[Movie], own_process: None) -> None:
    Movie.objects.update(rating_count=1_000, rating_sum=4_000)
    Recipe.objects.create(name="wide", parameters={"svd": {"factors": 3}})
    Recipe.objects.create(name="idle")
    before = {name: train(recipe=name) for name in ("wide", "idle", "standard")}
    make_running_recipes("a-test", recipes=("standard", "wide"))
    rate(films[-1])
    assert update_due() == []
    ended = update_due(whatever_waits=True)
    assert [(run.recipe.name, run.status, run.trigger, run.error) for run in ended] == [
        ("standard", "succeeded", "scheduled", ""),
        ("wide", "succeeded", "scheduled", ""),
    ]
    live = ModelVersion.objects.filter(status="live").select_related("recipe")
    told = {
        version.recipe.name: (version.update_type, version.parameters["svd"]["factors"]) for version in live
    }
    assert told["standard"][0] == "warm_start_rebuild"
    assert told["wide"] == ("warm_start_rebuild", 3)
    assert ModelVersion.objects.get(recipe__name="idle", status="live") == before["idle"]
