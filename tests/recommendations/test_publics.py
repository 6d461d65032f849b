"""A simulated public that likes films by what people said of them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import IntegrityError

from apps.accounts.services import create_simulated_viewers
from apps.catalog.models import Movie
from apps.core import clock
from apps.events.models import RecommendationEvent, Slate, SlateAssignment
from apps.experiments.models import Decision
from apps.ratings.models import Rating
from apps.ratings.services import begin_ratings, record_preference
from apps.recommendations.publics import Chances, FilmPublic, FilmTaste, tastes_of_raters
from apps.recommendations.simulating import Plan, simulate
from tests.experiments.setup import make_experiment
from tests.factories import make_movie, make_rating, make_user
from tests.house import N_PEOPLE, House, somebody_of_the_house

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 2, tzinfo=UTC)
PLAN = Plan(start=START, days=1, n_viewers=6, visits=2.0, length=6)
SURE = Chances(liked=1.0, other=0.0)


def public(tastes: list[FilmTaste], chances: Chances = SURE) -> FilmPublic:
    return FilmPublic(tastes, np.random.default_rng(1), chances)


def fan_of_horror(house: House) -> FilmTaste:
    told = {film.pk: 5.0 for film in house.horror[:3]}
    held_back = {film.pk: 5.0 for film in house.horror[3:]} | {film.pk: 2.0 for film in house.comedy}
    return FilmTaste(person=0, told=told, held_back=held_back)


def test_viewers_like_what_they_held_back_and_the_site_knows_what_they_told(house: House) -> None:
    (tally,) = simulate(PLAN, public([fan_of_horror(house)]))
    liked = set(RecommendationEvent.objects.filter(clicked=True).values_list("movie_id", flat=True))
    assert liked
    assert liked <= {film.pk for film in house.horror[3:]}
    assert 0 < tally.expected <= tally.best
    told = Rating.objects.filter(user__is_simulated=True, changed_at=START)
    assert told.count() == 3 * PLAN.n_viewers
    shown = set(RecommendationEvent.objects.values_list("movie_id", flat=True))
    assert not shown & {film.pk for film in house.horror[:3]}, "what one has rated is not recommended"


def test_who_would_like_nothing_and_never_errs_is_silent_but_for_what_they_refuse(house: House) -> None:
    taste = FilmTaste(person=0, told={}, held_back={house.horror[0].pk: 3.5})
    assert taste.liked == frozenset()
    (tally,) = simulate(PLAN, public([taste]))
    assert (tally.expected, RecommendationEvent.objects.filter(clicked=True).count()) == (0.0, 0)
    assert tally.slates > 0


def test_viewers_share_the_tastes_there_are(house: House) -> None:
    tastes = [FilmTaste(0, {film.pk: 5.0}, {house.horror[-1].pk: 5.0}) for film in house.horror[:2]]
    viewers = create_simulated_viewers(6, joined=START)
    public(tastes).begin(viewers, n_requests=1, length=6, at=START)
    for film in house.horror[:2]:
        assert Rating.objects.filter(user__in=viewers, movie=film).count() == 3


def test_tastes_of_raters_split_what_each_person_rated(house: House) -> None:
    tastes = tastes_of_raters(np.random.default_rng(1))
    assert len(tastes) == N_PEOPLE
    person = somebody_of_the_house()
    taste = next(taste for taste in tastes if taste.person == person.pk)
    rated = dict(Rating.objects.of(person.pk).values_list("movie_id", "value"))
    assert {**taste.told, **taste.held_back} == rated
    assert not taste.told.keys() & taste.held_back.keys()
    assert len(taste.told) == len(rated) // 2
    assert tastes_of_raters(np.random.default_rng(1)) == tastes
    few = tastes_of_raters(np.random.default_rng(1), share=0.25, most_told=2)
    assert (len(few), {len(taste.told) for taste in few}) == (N_PEOPLE // 4, {2})


def test_only_who_came_with_a_data_set_and_liked_something_has_a_taste() -> None:
    film, guest, grump = make_movie("One"), make_user(), make_user(is_imported=True)
    make_rating(guest, film, 5.0)
    make_rating(grump, film, 2.0)
    assert tastes_of_raters(np.random.default_rng(1)) == []


def test_first_ratings_leave_what_rating_one_by_one_leaves() -> None:
    one, other = make_movie("One"), make_movie("Other")
    begin_ratings(
        ratings=[(user.pk, film.pk, 4.5) for user in (make_user(), make_user()) for film in (one, other)],
        at=START,
    )
    record_preference(user_id=make_user().pk, movie_id=other.pk, kind="rate", value=1.0, at=START)
    counted = Movie.objects.order_by("pk").values_list("rating_sum", "rating_count")
    assert list(counted) == [(9.0, 2), (10.0, 3)]
    assert set(Rating.objects.values_list("changed_at", flat=True)) == {START}


def test_a_second_first_rating_changes_nothing() -> None:
    film, user = make_movie("One"), make_user()
    make_rating(user, film, 3.0)
    before = Movie.objects.get().rating_count
    with pytest.raises(IntegrityError):
        begin_ratings(ratings=[(user.pk, film.pk, 4.0)], at=START)
    assert (Movie.objects.get().rating_count, Rating.objects.get().value) == (before, 3.0)


def test_what_runs_is_watched_as_often_as_the_plan_says(house: House) -> None:
    make_experiment("test", guardrails={"ctr": 0.5})
    hourly = Plan(
        start=START,
        days=1,
        n_viewers=6,
        visits=2.0,
        length=6,
        experiment="test",
        watched_every=timedelta(hours=1),
    )
    for _ in simulate(hourly, public([fan_of_horror(house)])):
        pass
    (started,) = Decision.objects.all()
    assert (started.kind, started.at) == ("start", START)
    phase = started.experiment.phases.get()
    assert phase.judged_at == START + timedelta(days=1)
    assert SlateAssignment.objects.filter(counted=True).count() == Slate.objects.count() > 0
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=5)
