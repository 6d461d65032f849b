"""The lists of one page are made together: each for itself, and no film in two."""

from typing import Any

import pytest

from apps.accounts.models import User
from apps.catalog.services import update_movie
from apps.events.models import RecommendationEvent, Slate, Surface
from apps.recommendations.services import recommend, recommend_page
from apps.recommendations.slates import ServedSlate, SlateRequest
from apps.recommendations.viewer import read_viewer
from apps.training import registry
from apps.training.models import ModelVersion
from tests.factories import make_movie

pytestmark = pytest.mark.django_db


def wish(viewer: User, surface: Surface, n: int = 10, **wishes: Any) -> SlateRequest:
    return SlateRequest(viewer=viewer, unit_key=viewer.unit_key, surface=surface, n=n, **wishes)


def ask(viewer: User, *wishes: SlateRequest) -> list[ServedSlate]:
    return recommend_page(wishes, read_viewer(viewer, viewer.unit_key))


def movie_ids(slate: ServedSlate) -> list[int]:
    return [slot.movie_id for slot in slate.slots]


def test_the_earlier_list_has_the_first_choice(fan):
    alone = recommend(wish(fan, Surface.FOR_YOU, n=8))
    first, second = ask(fan, wish(fan, Surface.FOR_YOU, n=8), wish(fan, Surface.FOR_YOU, n=8))
    assert movie_ids(first) == movie_ids(alone)
    assert len({*movie_ids(first), *movie_ids(second)}) == 16


def test_every_film_of_every_list_is_a_row_of_the_log(fan):
    slates = ask(fan, wish(fan, Surface.FOR_YOU), wish(fan, Surface.HOME_POPULAR))
    surfaces = Slate.objects.order_by("surface").values_list("surface", flat=True)
    assert list(surfaces) == ["home.for_you", "home.popular"]
    for slate in slates:
        rows = RecommendationEvent.objects.filter(slate_id=slate.recommendation_id).order_by("position")
        assert [(row.pk, row.movie_id) for row in rows] == [
            (slot.event_id, slot.movie_id) for slot in slate.slots
        ]


def test_a_film_hidden_since_the_fit_is_on_no_list_and_leaves_no_gap(house, fan):
    wishes = [wish(fan, Surface.FOR_YOU, n=6), wish(fan, Surface.HOME_POPULAR, n=6)]
    hidden = {movie_ids(slate)[0] for slate in ask(fan, *wishes)}
    for film in house.horror + house.comedy:
        if film.pk in hidden:
            update_movie(movie=film, by=None, is_available=False)
    again = [movie_ids(slate) for slate in ask(fan, *wishes)]
    assert [len(set(ids)) for ids in again] == [6, 6]
    assert not hidden & {*again[0], *again[1]}


def test_a_list_of_certain_films_has_no_others(house, fan):
    only = frozenset(film.pk for film in [*house.comedy[:4], house.horror[0]])
    (slate,) = ask(fan, wish(fan, Surface.HOME_GEMS, only=only))
    assert set(movie_ids(slate)) == {film.pk for film in house.comedy[:4]}, "horror[0] is rated"
    assert slate.overridden_by == "only"


def test_a_list_of_no_films_has_none(fan):
    (slate,) = ask(fan, wish(fan, Surface.HOME_GEMS, only=frozenset()))
    assert slate.slots == ()


def forget_model() -> None:
    registry.reset()
    ModelVersion.objects.update(status="retired", artifact="")


def test_without_a_model_a_list_of_certain_films_has_no_others_either(house, fan):
    forget_model()
    only = frozenset(film.pk for film in house.comedy[:4])
    (slate,) = ask(fan, wish(fan, Surface.HOME_GEMS, only=only))
    assert (slate.degraded, set(movie_ids(slate))) == ("no_model", only)


def test_nothing_is_like_a_film_when_there_is_no_model(house, fan):
    forget_model()
    (slate,) = ask(fan, wish(fan, Surface.SIMILAR, anchor=house.horror[0].pk))
    assert (slate.degraded, slate.slots) == ("no_model", ())


def test_nothing_is_like_a_film_that_came_after_the_fit(fan):
    late = make_movie("Fright again", genres=["Horror"])
    (slate,) = ask(fan, wish(fan, Surface.SIMILAR, anchor=late.pk))
    assert (slate.degraded, slate.slots) == (None, ())


def test_an_arm_that_fails_on_one_list_leaves_the_others(house, fan, monkeypatch):
    from apps.algorithms.arms.hybrid import Hybrid

    fold = Hybrid.fold_among

    def broken_for_one_film(self, history, folds):
        if len(history) == 1:
            raise ZeroDivisionError("an arm's bug")
        return fold(self, history, folds)

    monkeypatch.setattr(Hybrid, "fold_among", broken_for_one_film)
    anchor = house.horror[0].pk
    slates = ask(fan, wish(fan, Surface.BECAUSE, anchor=anchor), wish(fan, Surface.FOR_YOU))
    assert [(slate.degraded, len(slate.slots)) for slate in slates] == [("scoring_failed", 0), (None, 10)]
