"""A list is served under the variants of its unit, and logged with them."""

from itertools import count
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.accounts.services import register_account
from apps.catalog.services import update_movie
from apps.core import telemetry
from apps.events.models import RecommendationEvent, SlateAssignment, Surface
from apps.experiments.policy import forget_policy
from apps.experiments.running import forget_field
from apps.experiments.services import assign, override
from apps.recommendations.services import recommend_page
from apps.recommendations.slates import ServedSlate, SlateRequest
from apps.recommendations.viewer import read_viewer
from apps.training.models import ModelVersion, Recipe
from tests.experiments.setup import HYBRID, POPULAR, make_running, make_running_recipes
from tests.factories import PASSWORD, make_guest, make_staff
from tests.house import House, somebody_of_the_house
from tests.recommendations.test_query_counts import UNCOUNTED
from tests.recommendations.test_recommend import ask, movie_ids

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]

ARMS = ["svd", "als", "item_cf"]
BANDIT = {"policy": "bandit", "arms": ARMS, "slots": 2, "diversity": 0.0}
SAME = {"control": HYBRID, "treatment": HYBRID}


def unit_in(variant: str, key: str = "test") -> UUID:
    """A unit that the split puts into this variant."""
    units = (UUID(int=number) for number in count(1))
    wanted = (key, variant)
    return next(
        unit for unit in units if wanted in [(one.experiment_key, one.variant) for one in assign(unit).served]
    )


def logged(slate: ServedSlate) -> list[tuple[str, int, str, bool]]:
    """Experiment, phase, variant, and whether it counts."""
    rows = SlateAssignment.objects.filter(slate=slate.recommendation_id).order_by("experiment_key")
    return list(rows.values_list("experiment_key", "phase", "variant", "counted"))


def make_twin(name: str) -> None:
    """A recipe with the very model of the standard one."""
    live = ModelVersion.objects.get(recipe__name="standard")
    live.pk, live.name, live.recipe = None, f"{name}-1", Recipe.objects.create(name=name)
    live.save(force_insert=True)


@pytest.mark.parametrize(("variant", "arm"), [("control", "hybrid"), ("treatment", "popular")])
def test_a_list_is_served_under_the_variant_of_its_unit(variant: str, arm: str, fan: User) -> None:
    make_running("test")
    slate = ask(fan, unit_key=unit_in(variant))
    assert (slate.strategy, {slot.algorithm for slot in slate.slots}) == (arm, {arm})
    assert logged(slate) == [("test", 1, variant, True)]
    events = RecommendationEvent.objects.filter(slate=slate.recommendation_id)
    assert set(events.values_list("experiment_id", "variant")) == {("test", variant)}
    assert slate.as_json()["experiment"] == {"key": "test", "variant": variant}


def test_a_list_is_of_one_strategy_and_one_recipe(fan: User) -> None:
    make_twin("twin")
    make_running("test")
    make_running_recipes("recipes", recipes=["standard", "twin"])
    unit = next(unit for unit in map(UUID, (f"{n:032x}" for n in count(1))) if assign(unit).recipe == "twin")
    slate = ask(fan, unit_key=unit)
    assert slate.recipe == "twin"
    assert [(key, counted) for key, _, _, counted in logged(slate)] == [("recipes", True), ("test", True)]
    event = RecommendationEvent.objects.filter(slate=slate.recommendation_id)[0]
    assert event.experiment_id == "test", "an impression names the experiment on strategies"


def test_a_row_with_an_arm_of_its_own_is_logged_and_not_counted(fan: User) -> None:
    make_running("test")
    unit = unit_in("treatment")
    surfaces = (Surface.FOR_YOU, Surface.HOME_GEMS)
    requests = [SlateRequest(viewer=fan, unit_key=unit, surface=surface, n=5) for surface in surfaces]
    own, gems = recommend_page(requests, read_viewer(fan, unit))
    assert (own.strategy, gems.strategy) == ("popular", "long_tail")
    assert logged(own) == [("test", 1, "treatment", True)]
    assert logged(gems) == [("test", 1, "treatment", False)]


def test_who_was_put_there_by_hand_is_not_counted(fan: User) -> None:
    make_running("test")
    override(key="test", unit_key=fan.unit_key, variant="treatment", by=None, reason="To show it")
    slate = ask(fan)
    assert slate.strategy == "popular"
    assert logged(slate) == [("test", 1, "treatment", False)]


@pytest.mark.parametrize("wish", [{"diversity": 0.5}, {"algorithm": "svd"}, {"counted": False}], ids=str)
def test_a_list_that_was_wished_for_is_not_counted(wish: dict[str, Any], fan: User) -> None:
    make_running("test")
    slate = ask(fan, unit_key=unit_in("control"), **wish)
    assert logged(slate) == [("test", 1, "control", False)]


def fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on the hybrid cannot score."""

    def broken(self: object, history: object, folds: object) -> None:
        raise ZeroDivisionError("an arm's bug")

    monkeypatch.setattr("apps.algorithms.arms.hybrid.Hybrid.fold_among", broken)


def degraded_slates() -> float:
    return telemetry.degraded_slates.labels(surface="api", reason="scoring_failed")._value.get()


def test_what_fails_counts_for_the_variant_that_failed(fan: User, monkeypatch: pytest.MonkeyPatch) -> None:
    make_running("test", only_differing=True)
    fail(monkeypatch)
    slate = ask(fan, unit_key=unit_in("control"))
    assert (slate.degraded, {slot.algorithm for slot in slate.slots}) == ("scoring_failed", {"popular"})
    assert logged(slate) == [("test", 1, "control", True)]


def test_another_variant_that_fails_costs_the_viewer_nothing(
    fan: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_running("test", only_differing=True)
    fail(monkeypatch)
    before = degraded_slates()
    slate = ask(fan, unit_key=unit_in("treatment"))
    assert (slate.degraded, slate.strategy, degraded_slates()) == (None, "popular", before)
    assert logged(slate) == [("test", 1, "treatment", True)]


@pytest.mark.parametrize(
    ("strategies", "counts"), [(SAME, False), ({"control": HYBRID, "treatment": POPULAR}, True)]
)
def test_where_all_variants_give_one_list_it_need_not_count(
    strategies: dict[str, Any], counts: bool, fan: User
) -> None:
    make_running("test", strategies=strategies, only_differing=True)
    for variant in ("control", "treatment"):
        assert logged(ask(fan, unit_key=unit_in(variant))) == [("test", 1, variant, counts)]


def test_where_every_list_counts_nothing_is_compared(fan: User) -> None:
    make_running("test", strategies=SAME)
    assert logged(ask(fan, unit_key=unit_in("control"))) == [("test", 1, "control", True)]


def test_of_three_variants_one_that_differs_is_enough(fan: User) -> None:
    three = {**SAME, "third": POPULAR}
    make_running("test", strategies=three, only_differing=True)
    for variant in three:
        assert logged(ask(fan, unit_key=unit_in(variant))) == [("test", 1, variant, True)]


def test_a_film_that_was_hidden_since_makes_no_list_differ(fan: User, house: House) -> None:
    make_running("test", strategies=SAME, only_differing=True)
    unit = unit_in("control")
    first = movie_ids(ask(fan, unit_key=unit))[0]
    update_movie(movie=next(film for film in house.horror if film.pk == first), by=None, is_available=False)
    slate = ask(fan, unit_key=unit)
    assert first not in movie_ids(slate)
    assert logged(slate) == [("test", 1, "control", False)]


def test_a_recipe_is_compared_under_the_strategy_that_the_unit_gets(fan: User) -> None:
    """Not under the policy's, which would differ by its strategy."""
    make_twin("twin")
    make_running("test")
    make_running_recipes("recipes", recipes=["standard", "twin"], only_differing=True)
    slate = ask(fan, unit_key=unit_in("treatment", "test"))
    assert slate.strategy == "popular"
    assert [(key, counted) for key, _, _, counted in logged(slate)] == [("recipes", False), ("test", True)]


def test_a_bandit_in_a_variant_names_its_experiment(fan: User) -> None:
    make_running("test", strategies={"control": HYBRID, "treatment": BANDIT})
    slate = ask(fan, unit_key=unit_in("treatment"))
    assert (slate.strategy, logged(slate)) == ("bandit", [("test", 1, "treatment", True)])
    events = RecommendationEvent.objects.filter(slate=slate.recommendation_id)
    assert set(events.values_list("experiment_id", "variant")) == {("test", "treatment")}
    assert set(events.values_list("algorithm", flat=True)) <= set(ARMS)
    assert events.filter(bandit_context=None).count() == 0


def test_a_guest_who_signs_up_keeps_the_variant() -> None:
    make_running("test")
    for number in range(6):
        guest = make_guest()
        before = logged(ask(guest))
        account = register_account(
            username=f"new-{number}", password=PASSWORD, email="", guest=guest, address="127.0.0.1"
        )
        assert logged(ask(account)) == before != []


def test_staff_and_people_of_a_data_set_are_in_no_experiment() -> None:
    make_running("test")
    for viewer in (make_staff(), somebody_of_the_house()):
        slate = ask(viewer)
        assert (slate.experiments, logged(slate)) == ((), [])
        assert set(RecommendationEvent.objects.values_list("experiment_id", flat=True)) == {""}


def n_queries(viewer: User, unit: UUID) -> int:
    ask(viewer, unit_key=unit)
    with CaptureQueriesContext(connection) as captured:
        ask(viewer, unit_key=unit)
    return sum(not query["sql"].startswith(UNCOUNTED) for query in captured)


def test_an_experiment_costs_a_list_one_query(fan: User, settings: Any) -> None:
    """What it is logged with: none of its own on PostgreSQL, where a list is one statement."""
    settings.VERSION_TTL_SECONDS = 600.0
    before = n_queries(fan, fan.unit_key)
    make_running("test")
    forget_field()
    assert n_queries(fan, fan.unit_key) == before + (connection.vendor == "sqlite")


@pytest.mark.parametrize("n_experiments", [1, 2])
def test_a_bandit_in_experiments_takes_eight_queries_at_most(
    n_experiments: int, fan: User, settings: Any
) -> None:
    settings.VERSION_TTL_SECONDS = 600.0
    make_running("test", strategies={"control": HYBRID, "treatment": BANDIT})
    if n_experiments == 2:
        make_twin("twin")
        make_running_recipes("recipes", recipes=["standard", "twin"], only_differing=True)
    forget_policy()
    forget_field()
    assert n_queries(fan, unit_in("treatment")) <= 8
