"""A list is made for its viewer, and logged film by film before anybody sees it."""

from typing import Any
from uuid import uuid4

import pytest

from apps.accounts.models import User
from apps.catalog.services import update_movie
from apps.events.models import RecommendationEvent, Slate, Surface
from apps.events.packing import unpack_history, unpack_ids
from apps.experiments.services import change_policy
from apps.ratings.services import record_preference
from apps.recommendations.services import recommend
from apps.recommendations.slates import ServedSlate, SlateRequest
from apps.training import registry
from tests.factories import make_movie, make_rating, make_staff, make_user
from tests.house import somebody_of_the_house

pytestmark = pytest.mark.django_db


def ask(viewer: User | None, n: int = 10, surface: Surface = Surface.API, **wishes: Any) -> ServedSlate:
    unit_key = wishes.pop("unit_key", viewer.unit_key if viewer else None)
    return recommend(SlateRequest(viewer=viewer, unit_key=unit_key, surface=surface, n=n, **wishes))


def movie_ids(slate: ServedSlate) -> list[int]:
    return [slot.movie_id for slot in slate.slots]


def serve(strategy: dict[str, Any]) -> None:
    change_policy(strategy=strategy, recipe="standard", reason="a test", by=make_staff())


def test_gives_a_fan_more_of_what_the_fan_likes(house, fan):
    assert set(movie_ids(ask(fan))) <= {film.pk for film in house.horror[3:]}


def test_every_film_shown_is_a_row_of_the_log(fan):
    slate = ask(fan)
    rows = RecommendationEvent.objects.filter(slate_id=slate.recommendation_id).order_by("position")
    assert [row.pk for row in rows] == [slot.event_id for slot in slate.slots]
    assert [row.movie_id for row in rows] == movie_ids(slate)
    assert {(row.user_id, row.algorithm, row.propensity, row.outcome) for row in rows} == {
        (fan.pk, "hybrid", 1.0, "pending")
    }
    assert rows[0].context == slate.context.as_dict()


def test_the_slate_keeps_what_it_was_made_from(house, fan):
    record_preference(
        user_id=fan.pk, movie_id=house.comedy[0].pk, kind="dismiss", value=None, at=fan.date_joined
    )
    row = Slate.objects.get(pk=ask(fan).recommendation_id)
    assert unpack_history(bytes(row.history)) == [(film.pk, 5.0) for film in house.horror[:3]]
    assert unpack_ids(bytes(row.exclusions)) == [house.comedy[0].pk]
    assert (row.n_requested, row.n_returned, row.owners) == (10, 10, ["hybrid"] * 10)
    assert (row.unit_key, row.counted, row.degraded, row.recipe) == (fan.unit_key, True, "", "standard")


def test_never_shows_what_was_rated_or_dismissed(house, fan):
    for film in house.horror[3:8]:
        record_preference(user_id=fan.pk, movie_id=film.pk, kind="dismiss", value=None, at=fan.date_joined)
    shown = set(movie_ids(ask(fan, n=100)))
    assert not shown & {film.pk for film in house.horror[:8]}
    assert len(shown) == 24, "every other film of the house, each once"


def test_gives_fewer_only_when_the_catalogue_has_no_more(house):
    slate = ask(make_user(), n=100)
    assert len(set(movie_ids(slate))) == len(slate.slots) == 32


def test_a_film_that_was_hidden_is_gone_from_the_next_list(house, fan):
    first = movie_ids(ask(fan))[0]
    update_movie(movie=next(film for film in house.horror if film.pk == first), by=None, is_available=False)
    again = movie_ids(ask(fan, n=100))
    assert first not in again
    assert len(again) == 28


def test_a_film_that_came_after_the_fit_waits_for_the_next_fit(house, fan):
    late = make_movie("Fright again", genres=["Horror"])
    assert late.pk not in movie_ids(ask(fan, n=100))


def test_a_rating_changes_the_next_list_without_a_fit(house, fan):
    before = ask(fan, n=5)
    for film in house.comedy[:5]:
        make_rating(fan, film, 5.0)
    after = ask(fan, n=5)
    assert before.model_version == after.model_version
    assert set(movie_ids(after)) & {film.pk for film in house.comedy}


def test_serves_popular_films_and_says_so_when_there_is_no_model(house, fan):
    registry.reset()
    from apps.training.models import ModelVersion

    ModelVersion.objects.update(status="retired", artifact="")
    slate = ask(fan, n=5)
    assert (slate.degraded, slate.model_version, len(slate.slots)) == ("no_model", "", 5)
    assert {(slot.algorithm, slot.propensity) for slot in slate.slots} == {("popular", None)}
    assert Slate.objects.get(pk=slate.recommendation_id).degraded == "no_model"


def test_serves_popular_films_when_an_arm_fails(house, fan, monkeypatch, caplog):
    def broken(self, history, folds):
        raise ZeroDivisionError("an arm's bug")

    monkeypatch.setattr("apps.algorithms.arms.hybrid.Hybrid.fold_among", broken)
    slate = ask(fan, n=5)
    assert (slate.degraded, len(slate.slots)) == ("scoring_failed", 5)
    assert not set(movie_ids(slate)) & {film.pk for film in house.horror[:3]}
    assert "slate_failed recipe=standard" in caplog.text


def test_a_visitor_without_a_unit_gets_popular_films_and_leaves_no_row(house):
    slate = ask(None, n=5)
    assert (slate.recommendation_id, slate.strategy) == (None, "popular")
    assert {slot.event_id for slot in slate.slots} == {None}
    assert not Slate.objects.exists()


def test_a_unit_without_a_row_is_logged_by_its_key(house):
    unit_key = uuid4()
    row = Slate.objects.get(pk=ask(None, unit_key=unit_key).recommendation_id)
    assert (row.unit_key, row.user, row.counted) == (unit_key, None, True)


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ({"algorithm": "svd"}, "algorithm"),
        ({"diversity": 0.5}, "diversity"),
        ({"genre": "Comedy"}, "genre"),
        ({"exclude": (1,)}, "exclude"),
        ({"algorithm": "svd", "genre": "Horror"}, "algorithm,genre"),
    ],
)
def test_whatever_changes_the_list_is_recorded_and_not_counted(fan, wish, name):
    slate = ask(fan, **wish)
    row = Slate.objects.get(pk=slate.recommendation_id)
    assert (slate.overridden_by, row.overridden_by, row.counted) == (name, name, False)


def test_a_list_is_as_diverse_as_its_viewer_is_known_and_a_wish_is_granted_whole(house):
    serve({"policy": "fixed", "arms": {"hybrid": 1.0}, "diversity": 0.5})
    viewer = make_user()
    found = []
    for film in house.horror[:5]:
        row = Slate.objects.get(pk=ask(viewer).recommendation_id)
        found.append((row.diversity, row.strategy_config["diversity"]))
        make_rating(viewer, film, 4.0)
    assert found == [(pytest.approx(0.5 * n / (n + 15)), 0.5) for n in range(5)]
    assert Slate.objects.get(pk=ask(viewer, diversity=0.5).recommendation_id).diversity == 0.5


def test_only_for_you_and_the_api_are_counted(fan):
    counted = {
        surface: Slate.objects.get(pk=ask(fan, n=2, surface=surface).recommendation_id).counted
        for surface in Surface
    }
    assert {surface for surface, is_counted in counted.items() if is_counted} == {
        Surface.FOR_YOU,
        Surface.API,
    }


def test_lists_for_imported_people_are_not_counted(house):
    person = somebody_of_the_house()
    assert Slate.objects.get(pk=ask(person).recommendation_id).counted is False


def test_a_genre_keeps_every_other_film_out(house, fan):
    assert set(movie_ids(ask(fan, n=100, genre="comedy"))) == {film.pk for film in house.comedy}


def test_films_of_the_page_are_skipped_without_being_an_override(house, fan):
    skip = tuple(film.pk for film in house.horror[3:10])
    slate = ask(fan, n=100, skip=skip)
    assert not set(movie_ids(slate)) & set(skip)
    assert slate.overridden_by == ""


def test_several_arms_share_a_list_and_each_row_knows_its_chance(house, fan):
    serve({"policy": "fixed", "arms": {"svd": 0.75, "popular": 0.25}})
    slots = [slot for _ in range(20) for slot in ask(fan).slots]
    assert {(slot.algorithm, slot.propensity) for slot in slots} == {("svd", 0.75), ("popular", 0.25)}
    share = sum(slot.algorithm == "svd" for slot in slots) / len(slots)
    # 200 draws: five standard deviations are .153, a false alarm in 1.7 million runs.
    assert abs(share - 0.75) < 0.153


def test_a_slot_whose_arm_had_nothing_has_no_propensity(house):
    serve({"policy": "fixed", "arms": {"svd": 1.0}})
    slots = ask(make_user(), n=5).slots
    assert {(slot.algorithm, slot.propensity) for slot in slots} == {("popular", None)}


def test_films_like_one_film_are_of_its_kind(house):
    anchor = house.comedy[0]
    slate = ask(make_user(), n=5, surface=Surface.SIMILAR, anchor=anchor.pk)
    assert set(movie_ids(slate)) <= {film.pk for film in house.comedy[1:]}
    assert {slot.reason.text for slot in slate.slots} == {"Liked by people who liked Laugh 0"}


def test_films_like_one_film_do_not_hang_on_the_sites_strategy(house):
    serve({"policy": "fixed", "arms": {"popular": 1.0}})
    slate = ask(make_user(), n=5, surface=Surface.SIMILAR, anchor=house.comedy[0].pk)
    assert {slot.algorithm for slot in slate.slots} == {"hybrid"}
    assert set(movie_ids(slate)) <= {film.pk for film in house.comedy[1:]}


def test_predicts_stars_within_the_scale(fan):
    assert all(0.5 <= (slot.predicted_rating or 0) <= 5.0 for slot in ask(fan, n=100).slots)


def test_reasons_name_films_that_the_viewer_liked(house, fan):
    liked = {film.pk for film in house.horror[:3]}
    for slot in ask(fan).slots:
        assert slot.reason.kind == "because_you_liked"
        assert set(slot.reason.movie_ids) <= liked
        assert slot.reason.text in {f"Because you liked {film.title}" for film in house.horror[:3]}


def test_a_reason_never_names_a_hidden_film(house, fan):
    for film in house.horror[:3]:
        update_movie(movie=film, by=None, is_available=False)
    texts = {slot.reason.text for slot in ask(fan).slots}
    assert texts == {"Fits all that you rated, taken together"}
