import pytest
from django.test import Client
from django.urls import reverse

from apps.ratings.services import record_preference
from tests.factories import make_movie, make_rating, make_staff

pytestmark = pytest.mark.django_db
MODELS = ("rating", "favorite", "watchlistitem", "dismissal", "thumb")


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(make_staff(username="boss", is_superuser=True))
    return client


@pytest.mark.parametrize("name", MODELS)
def test_staff_read_preferences_and_change_none(boss: Client, name: str) -> None:
    rating = make_rating()
    for kind in ("favorite", "watchlist", "dismiss", "thumbs_up"):
        record_preference(
            user_id=rating.user_id, movie_id=rating.movie_id, kind=kind, value=None, at=rating.changed_at
        )
    page = boss.get(reverse(f"admin:ratings_{name}_changelist"), {"q": rating.user.username})
    (row,) = page.context["cl"].result_list
    assert boss.get(reverse(f"admin:ratings_{name}_change", args=[row.pk])).status_code == 200
    assert boss.get(reverse(f"admin:ratings_{name}_add")).status_code == 403
    assert boss.post(reverse(f"admin:ratings_{name}_change", args=[row.pk]), {}).status_code == 403
    assert boss.post(reverse(f"admin:ratings_{name}_delete", args=[row.pk])).status_code == 403


def test_the_list_takes_as_many_queries_for_many_ratings_as_for_one(
    boss: Client, django_assert_max_num_queries
) -> None:
    movie = make_movie()
    for _ in range(12):
        make_rating(movie=movie)
    with django_assert_max_num_queries(6):
        assert boss.get(reverse("admin:ratings_rating_changelist")).status_code == 200
