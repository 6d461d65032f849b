"""Going back to a version that served: the recipe is held there until somebody lets it learn again."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.privacy import erase_user
from apps.catalog.models import Movie
from apps.core.errors import Conflict, InvalidInput
from apps.core.models import AuditEntry
from apps.experiments.models import ServingPolicy
from apps.experiments.policy import forget_policy
from apps.ratings.models import Rating, RatingDeparture
from apps.ratings.services import record_preference
from apps.training import registry
from apps.training.corpus import corpus_folder
from apps.training.models import Activation, ModelVersion, Recipe, TrainingRun, UpdateType
from apps.training.registry import engine
from apps.training.services import (
    fit_tonight,
    forget_the_departed,
    go_back,
    let_go,
    request_if_due,
    request_run,
    sanity,
    train,
    update_due,
)
from apps.training.services.holding import BY_HAND
from apps.training.services.runs import take_up_run
from tests.callers import bearer
from tests.experiments.setup import HYBRID, make_version
from tests.factories import make_staff, make_user

pytestmark = pytest.mark.django_db
WARM = UpdateType.WARM_START
DUE = "threshold_reached_50"
SCRIPT = "<script>alert(1)</script>"


def rate(movie: Movie) -> None:
    record_preference(user_id=make_user().pk, movie_id=movie.pk, kind="rate", value=5.0, at=timezone.now())


@pytest.fixture
def boss(db: None) -> User:
    return make_staff(username="boss")


@pytest.fixture
def second(live: ModelVersion, films: list[Movie]) -> ModelVersion:
    """The version after ``live``, which serves."""
    ServingPolicy.objects.update_or_create(
        pk=1, defaults={"strategy": {"arms": {"hybrid": 1.0}}, "recipe": "standard"}
    )
    forget_policy()
    rate(films[-1])
    return train(update_type=WARM, trigger=DUE)


@pytest.fixture
def held(live: ModelVersion, second: ModelVersion, boss: User) -> ModelVersion:
    return go_back(version=live, by=boss, reason="Odd lists")


def standard() -> Recipe:
    return Recipe.objects.get(name="standard")


def statuses() -> list[str]:
    return list(ModelVersion.objects.order_by("pk").values_list("status", flat=True))


def test_the_version_serves_again_and_says_by_whom_and_why(
    live: ModelVersion, second: ModelVersion, boss: User
) -> None:
    served = go_back(version=live, by=boss, reason="Odd lists")
    assert (served, statuses()) == (live, ["live", "retired"])
    row = Activation.objects.first()
    assert row is not None
    assert (row.version, row.by, row.reason) == (live, "boss", "Odd lists")
    assert (standard().held_because, standard().held_by) == ("Odd lists", "boss")
    entry = AuditEntry.objects.get(action="training.go_back")
    assert (entry.actor_id, entry.before, entry.after) == (
        boss.pk,
        {"version": second.name},
        {"version": live.name},
    )
    assert AuditEntry.objects.get(action="training.hold_recipe").after == {"held_because": "Odd lists"}
    registry.reset()
    current = engine()
    assert current is not None
    assert current.version == live.name


def test_what_cannot_be_gone_back_to_is_refused(
    live: ModelVersion, second: ModelVersion, boss: User, own_artifacts: Path
) -> None:
    with pytest.raises(InvalidInput, match=r"^Say why: it goes into the audit\.$"):
        go_back(version=live, by=boss, reason=" ")
    with pytest.raises(Conflict, match=f"^Version {second.name} is live: go back to one that is retired"):
        go_back(version=second, by=boss, reason="no")
    manifest = next((own_artifacts / live.artifact).glob("*.json"))
    manifest.rename(manifest.with_suffix(".gone"))
    said = f"^The files of version {live.name} cannot be read \\(missing\\): fit the recipe again\\.$"
    with pytest.raises(Conflict, match=said):
        go_back(version=live, by=boss, reason="no")
    ModelVersion.objects.filter(pk=live.pk).update(artifact="")
    with pytest.raises(Conflict, match=f"^The files of version {live.name} were removed: fit the recipe"):
        go_back(version=live, by=boss, reason="no")
    ModelVersion.objects.filter(pk=live.pk).update(status="refused")
    with pytest.raises(Conflict, match=f"^Version {live.name} is refused: go back to one that is retired"):
        go_back(version=live, by=boss, reason="no")
    assert second in ModelVersion.objects.filter(status="live")
    assert not standard().held_because


def test_a_version_that_lacks_an_arm_which_is_asked_for_is_refused(boss: User) -> None:
    ServingPolicy.objects.update_or_create(pk=1, defaults={"strategy": HYBRID, "recipe": "standard"})
    old = make_version(arms=["popular"])
    ModelVersion.objects.filter(pk=old.pk).update(status="retired")
    new = make_version()
    ModelVersion.objects.filter(pk=new.pk).update(parameters={"hybrid": {}, "popular": {}})
    with pytest.raises(InvalidInput) as refusal:
        go_back(version=old, by=boss, reason="no")
    assert str(refusal.value) == (
        "The live version of recipe 'standard' has only popular, and the strategy asks for hybrid: train it"
        " again (manage.py train --recipe standard)."
    )
    assert (statuses(), standard().held_because) == (["retired", "live"], "")


def test_what_comes_by_itself_leaves_a_held_recipe_alone(held: ModelVersion, films: list[Movie]) -> None:
    Movie.objects.update(rating_count=1_000, rating_sum=4_000)
    for _ in range(60):
        rate(films[0])
    assert request_if_due("standard", DUE) is None
    assert update_due() == []
    assert update_due(whatever_waits=True) == []
    assert fit_tonight(recipe="standard") == "held"
    assert TrainingRun.objects.count() == 2
    assert statuses() == ["live", "retired"]


@pytest.mark.parametrize("trigger", [DUE, "interval_6h", "scheduled", "erasure", "nightly", "rollout"])
def test_a_run_that_was_on_its_way_does_not_go_live_over_it(
    held: ModelVersion, films: list[Movie], trigger: str
) -> None:
    rate(films[0])
    said = (
        "Recipe 'standard' is held at its version (Odd lists): it learns again once somebody lets it, or asks"
        " for a fit."
    )
    with pytest.raises(Conflict) as refusal:
        train(update_type=WARM, trigger=trigger)
    assert str(refusal.value) == said
    run = TrainingRun.objects.latest("pk")
    assert (run.status, run.error) == ("failed", said)
    assert statuses() == ["live", "retired"]


def test_a_run_that_learns_while_somebody_goes_back_is_thrown_away(
    live: ModelVersion, second: ModelVersion, boss: User, films: list[Movie], own_artifacts: Path
) -> None:
    rate(films[0])
    run = request_run(recipe="standard", trigger=DUE, update_type=WARM)
    assert take_up_run(run_id=run.pk)

    def meanwhile(step: str) -> None:
        if step == "check":
            go_back(version=live, by=boss, reason="Odd lists")

    with pytest.raises(Conflict, match="is held at its version"):
        train(run_id=run.pk, progress=meanwhile)
    assert statuses() == ["live", "retired"]
    assert len(list(own_artifacts.glob("2*"))) == 2, "nothing of it is left"


@pytest.mark.parametrize("trigger", sorted(BY_HAND))
@pytest.mark.parametrize("update_type", UpdateType.values)
def test_what_somebody_asks_for_goes_live_and_ends_the_hold(
    held: ModelVersion, films: list[Movie], trigger: str, update_type: UpdateType
) -> None:
    rate(films[0])
    version = train(update_type=update_type, trigger=trigger)
    assert (version.status, standard().held_because, standard().held_by) == ("live", "", "")
    entry = AuditEntry.objects.get(action="training.let_go_recipe")
    assert entry.reason == f"Run {version.run_id}, which somebody asked for, went live."
    assert request_if_due("standard", DUE) is not None


def test_asked_for_by_hand_with_nothing_to_learn_ends_the_hold_too(held: ModelVersion) -> None:
    Rating.objects.update(updated_at=timezone.now() - timedelta(days=1))
    train(update_type=WARM, trigger="admin")
    train(update_type=WARM, trigger="admin")
    assert not standard().held_because


def test_a_fit_asked_for_that_fails_leaves_it_held(
    held: ModelVersion, films: list[Movie], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sanity, "LEAST_NDCG_OF_FEW", 3.0)
    with pytest.raises(Conflict):
        train(trigger="admin")
    assert standard().held_because == "Odd lists"
    assert statuses()[0] == "live"


def test_the_admin_and_the_api_ask_by_hand(held: ModelVersion) -> None:
    staff = make_staff(permissions=["training.add_trainingrun"])
    client = Client()
    client.force_login(staff)
    client.post(reverse("admin:training_trainingrun_retrain"), {"update_type": "warm_start_rebuild"})
    run = TrainingRun.objects.latest("pk")
    assert run.trigger in BY_HAND
    TrainingRun.objects.filter(pk=run.pk).update(status="failed")
    answer = bearer(staff).send("POST", "/api/v1/learning/trigger-update")
    assert answer.status_code == 202
    assert TrainingRun.objects.latest("pk").trigger in BY_HAND


def test_let_go_it_learns_by_itself_again(held: ModelVersion, boss: User) -> None:
    with pytest.raises(InvalidInput, match=r"^Say why: it goes into the audit\.$"):
        let_go(recipe=held.recipe, by=boss, reason="")
    let_go(recipe=held.recipe, by=boss, reason="The import was undone")
    assert (standard().held_because, standard().held_by) == ("", "")
    entry = AuditEntry.objects.get(action="training.let_go_recipe")
    assert (entry.actor_id, entry.reason, entry.before) == (
        boss.pk,
        "The import was undone",
        {"held_because": "Odd lists"},
    )
    assert request_if_due("standard", DUE) is not None
    with pytest.raises(Conflict, match=r"^Recipe 'standard' is not held: it learns by itself\.$"):
        let_go(recipe=held.recipe, by=boss, reason="Again")


def test_a_held_recipe_forgets_who_was_erased(held: ModelVersion) -> None:
    assert list(corpus_folder().iterdir()), "that of the version after, which was fitted on more"
    user = User.objects.filter(is_imported=True).first()
    assert user is not None
    erase_user(user)
    forget_the_departed()
    assert list(corpus_folder().iterdir()) == []
    assert RatingDeparture.objects.exists(), "its number is known until nothing can hold it any more"


# --- In the admin ---------------------------------------------------------------------------------

MAY = "training.roll_back_rollout"


def staff_client(*permissions: str) -> Client:
    client = Client()
    looks = ("training.view_modelversion", "training.view_recipe")
    client.force_login(make_staff(permissions=[*looks, *permissions]))
    return client


def url(page: str, row: Any) -> str:
    return reverse(f"admin:training_{row._meta.model_name}_{page}", args=[row.pk])


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_staff_go_back_in_two_clicks_with_a_reason(live: ModelVersion, second: ModelVersion) -> None:
    staff = staff_client(MAY)
    assert url("go_back", live) in words(staff.get(url("change", live)))
    assert url("go_back", second) not in words(staff.get(url("change", second)))
    asked = words(staff.get(url("go_back", live)))
    assert f"Serve version {live.name} again?" in asked
    assert staff.post(url("go_back", live), {"reason": ""}).status_code == 400
    assert not standard().held_because
    answer = staff.post(url("go_back", live), {"reason": SCRIPT}, follow=True)
    assert f"Version {live.name} serves again, and recipe &#x27;standard&#x27; is held there." in words(
        answer
    )
    assert statuses() == ["live", "retired"]
    again = staff.post(url("go_back", live), {"reason": "Twice"})
    assert again.status_code == 400
    assert "is live: go back to one that is retired." in words(again)
    for address in (url("change", standard()), reverse("admin:training_recipe_changelist")):
        page = words(staff.get(address))
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert SCRIPT not in page


def test_staff_let_it_learn_again_in_two_clicks_with_a_reason(held: ModelVersion) -> None:
    recipe, staff = standard(), staff_client(MAY)
    page = words(staff.get(url("change", recipe)))
    assert "<strong>Held</strong> at its version by boss: <q>Odd lists</q>. It learns again" in page
    Recipe.objects.update(held_because="Odd lists.")
    assert "<q>Odd lists.</q> It learns again" in words(staff.get(url("change", recipe)))
    assert url("let_go", recipe) in page
    assert "Let standard learn again?" in words(staff.get(url("let_go", recipe)))
    assert staff.post(url("let_go", recipe), {"reason": " "}).status_code == 400
    assert standard().held_because
    answer = staff.post(url("let_go", recipe), {"reason": "It was the import"}, follow=True)
    assert "Recipe &#x27;standard&#x27; learns by itself again." in words(answer)
    assert not standard().held_because
    again = staff.post(url("let_go", recipe), {"reason": "Twice"})
    assert (again.status_code, "is not held: it learns by itself." in words(again)) == (400, True)


def test_both_take_a_permission_a_token_and_two_methods(held: ModelVersion, second: ModelVersion) -> None:
    staff = staff_client("training.change_recipe", "training.change_modelversion", "training.override_gate")
    for name, row in (("go_back", second), ("let_go", held.recipe)):
        assert url(name, row) not in words(staff.get(url("change", row)))
        assert staff.get(url(name, row)).status_code == 403
        assert staff.post(url(name, row), {"reason": "A look"}).status_code == 403
        assert staff_client(MAY).put(url(name, row)).status_code == 405
        forged = Client(enforce_csrf_checks=True)
        forged.force_login(make_staff(permissions=[MAY]))
        assert forged.post(url(name, row), {"reason": "A look"}).status_code == 403
        missing = reverse(f"admin:training_{row._meta.model_name}_{name}", args=[10**6])
        assert staff_client(MAY).get(missing).status_code == 404
    assert standard().held_because == "Odd lists"


def test_the_form_of_a_recipe_neither_shows_nor_takes_a_hold(held: ModelVersion) -> None:
    recipe, staff = standard(), staff_client("training.change_recipe")
    assert 'name="held' not in words(staff.get(url("change", recipe)))
    staff.post(url("change", recipe), {"description": "New", "held_because": "", "held_by": ""})
    assert (standard().description, standard().held_because) == ("New", "Odd lists")
