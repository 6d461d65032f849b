"""What is said of a film is what the arm that placed it went by."""

from datetime import UTC, datetime
from typing import Any

import pytest

from apps.accounts.models import User
from apps.events.models import Surface
from apps.ratings.services import record_preference
from apps.recommendations.reasons import POPULAR, TOGETHER, Lead, reason_of
from apps.recommendations.services import recommend
from apps.recommendations.slates import Reason, SlateRequest
from tests.factories import make_rating, make_user
from tests.house import House

pytestmark = pytest.mark.django_db


def reasons(viewer: User, **wishes: Any) -> set[Reason]:
    request = SlateRequest(viewer=viewer, unit_key=viewer.unit_key, surface=Surface.API, n=5, **wishes)
    return {slot.reason for slot in recommend(request).slots}


def viewer_of(*stars: float, house: House) -> User:
    """Who rated as many horror films."""
    viewer = make_user()
    for film, value in zip(house.horror, stars, strict=False):
        make_rating(viewer, film, value)
    return viewer


@pytest.mark.parametrize("arm", ["hybrid", "genre", "svd", "serendipity"])
@pytest.mark.parametrize("stars", [(), (1,), (2, 1, 1, 0.5)])
def test_popular_films_say_that_they_are_popular(house: House, arm: str, stars: tuple[float, ...]) -> None:
    """Where nothing is liked popular films serve, by an arm's own choice or in its place."""
    assert reasons(viewer_of(*stars, house=house), algorithm=arm) == {POPULAR}


@pytest.mark.parametrize(
    ("stars", "text"),
    [
        ((3,), "More Horror"),
        ((5, 4), "More Horror"),
        ((5, 4, 3), "More Horror"),
        ((5, 4, 4), "More Horror, which you often rate"),
    ],
)
def test_a_genre_is_often_rated_from_three_films_liked_on(
    house: House, stars: tuple[float, ...], text: str
) -> None:
    given = reasons(viewer_of(*stars, house=house), algorithm="genre")
    assert given == {Reason("genre", text, genre="Horror")}


def test_an_arm_that_does_not_go_by_genre_alone_names_the_film_rated(house: House) -> None:
    film = house.horror[0]
    said = Reason("because_you_rated", f"Because you rated {film.title}", (film.pk,))
    assert reasons(viewer_of(3, house=house)) == {said}


@pytest.mark.parametrize(
    ("lead", "similar", "reason"),
    [
        (Lead(genre="Horror", by_history=True), False, TOGETHER),
        (Lead(genre="Horror", by_history=True), True, Reason("genre", "More Horror", genre="Horror")),
        (Lead(genre="Horror"), False, POPULAR),
        (Lead(by_history=True), True, POPULAR),
    ],
)
def test_a_genre_that_did_not_lead_to_the_film_is_no_reason(
    lead: Lead, similar: bool, reason: Reason
) -> None:
    assert reason_of(lead, {}, similar=similar) == reason


def test_no_reason_names_a_film_that_is_not_for_the_viewer(house: House) -> None:
    liked, dismissed = house.horror[:2]
    viewer = viewer_of(4, 5, house=house)
    record_preference(
        user_id=viewer.pk, movie_id=dismissed.pk, kind="dismiss", value=None, at=datetime.now(UTC)
    )
    said = Reason("because_you_liked", f"Because you liked {liked.title}", (liked.pk,))
    assert reasons(viewer) == {said}


def test_films_like_one_that_is_not_for_the_viewer_name_it_all_the_same(house: House) -> None:
    film = house.horror[0]
    viewer = viewer_of(5, house=house)
    record_preference(user_id=viewer.pk, movie_id=film.pk, kind="dismiss", value=None, at=datetime.now(UTC))
    said = Reason("similar", f"Liked by people who liked {film.title}", (film.pk,))
    assert reasons(viewer, anchor=film.pk) == {said}
