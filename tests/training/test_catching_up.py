"""Each test changes something, catches up, and asks that it be what a reading of all rows gives."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.privacy import erase_user
from apps.catalog.models import Genre, Movie, MovieGenre
from apps.ratings.models import Favorite, Rating, RatingDeparture
from apps.ratings.services import merge_preferences, record_preference
from apps.training.catching_up import OVERLAP, catch_up
from apps.training.corpus import Corpus
from apps.training.datasets import build_corpus
from tests.factories import make_user
from tests.training.catching import assert_whole

pytestmark = pytest.mark.django_db


@pytest.fixture
def before(films: list[Movie]) -> Corpus:
    """Read when nothing had been written for long."""
    # The fixture's ratings came past the services that count them.
    Movie.objects.update(rating_count=1_000, rating_sum=4_000)
    for model in (Rating, Movie):
        model.objects.update(updated_at=timezone.now() - timedelta(days=2))
    return build_corpus()


def rate(user: User, movie: Movie, value: float | None, at: datetime | None = None) -> None:
    kind = "unrate" if value is None else "rate"
    record_preference(user_id=user.pk, movie_id=movie.pk, kind=kind, value=value, at=at or timezone.now())


def somebody() -> User:
    return User.objects.filter(is_imported=True).order_by("pk")[3]


def test_nothing_said_is_no_news_and_reads_no_rating(before: Corpus) -> None:
    caught = catch_up(before)
    assert (caught.is_news, caught.n_read, caught.n_changed) == (False, 0, 0)
    assert_whole(caught)


def test_a_new_a_changed_and_a_withdrawn_rating_are_read_and_no_other(
    before: Corpus, films: list[Movie]
) -> None:
    user = somebody()
    held = list(Rating.objects.of(user.pk).order_by("movie_id"))
    rate(user, films[-1], 4.5)
    rate(user, held[0].movie, 0.5)
    rate(user, held[1].movie, None)
    caught = catch_up(before)
    assert (caught.n_read, caught.n_changed, caught.delta.n_people) == (3, 3, 1)
    assert_whole(caught)


def test_somebody_new_has_a_row_and_somebody_without_ratings_has_none(
    before: Corpus, films: list[Movie]
) -> None:
    newcomer, leaver = make_user(), somebody()
    rate(newcomer, films[2], 5.0)
    for rating in Rating.objects.of(leaver.pk):
        rate(leaver, rating.movie, None)
    caught = catch_up(before)
    assert_whole(caught)
    assert newcomer.pk in caught.corpus.people
    assert leaver.pk not in caught.corpus.people
    assert sorted(caught.delta.people.min(axis=1).tolist()) == [-1, -1]


def test_a_rating_that_came_again_within_the_overlap_is_no_news(before: Corpus, films: list[Movie]) -> None:
    rate(somebody(), films[-1], 4.5)
    first = catch_up(before)
    again = catch_up(first.corpus)
    assert (again.n_read, again.n_changed, again.is_news) == (1, 0, False)


def test_what_was_written_before_the_reading_and_seen_after_it_is_found(
    before: Corpus, films: list[Movie]
) -> None:
    rate(somebody(), films[-1], 4.5)
    Rating.objects.filter(movie=films[-1]).update(updated_at=before.read_at - OVERLAP / 2)
    assert catch_up(before).n_changed == 1


def test_what_was_seen_later_than_the_overlap_is_left_to_the_full_retrain(
    before: Corpus, films: list[Movie]
) -> None:
    rate(somebody(), films[-1], 4.5)
    Rating.objects.filter(movie=films[-1]).update(updated_at=before.read_at - 2 * OVERLAP)
    assert catch_up(before).n_changed == 0


def test_somebody_who_was_erased_is_gone(before: Corpus) -> None:
    user = somebody()
    erase_user(user)
    caught = catch_up(before)
    assert_whole(caught)
    assert user.pk not in caught.corpus.people
    assert caught.n_changed == caught.delta.was.nnz > 0


def test_a_guest_who_signs_in_leaves_their_ratings_to_the_account(before: Corpus, films: list[Movie]) -> None:
    guest, account = make_user(is_guest=True), somebody()
    rate(guest, films[-1], 4.0)
    before = catch_up(before).corpus
    merge_preferences(model=Rating, from_id=guest.pk, to_id=account.pk)
    caught = catch_up(before)
    assert_whole(caught)
    assert guest.pk not in caught.corpus.people


def test_other_preferences_that_change_hands_make_nobody_reread_their_ratings(
    before: Corpus, films: list[Movie]
) -> None:
    guest, account = make_user(is_guest=True), somebody()
    record_preference(user_id=guest.pk, movie_id=films[0].pk, kind="favorite", value=None, at=timezone.now())
    merge_preferences(model=Favorite, from_id=guest.pk, to_id=account.pk)
    assert set(RatingDeparture.objects.values_list("kind", flat=True)) == {"favorite"}
    assert catch_up(before).n_read == 0


def test_a_new_film_is_known_and_a_hidden_one_only_while_somebody_rated_it(
    before: Corpus, films: list[Movie]
) -> None:
    new = Movie.objects.create(title="Newest", search_title="newest", primary_genre=Genre.objects.first())
    MovieGenre.objects.create(movie=new, genre=new.primary_genre)
    for hidden in (films[0], films[-1]):
        hidden.is_available = False
        hidden.save()
    caught = catch_up(before)
    assert_whole(caught)
    ids = set(caught.corpus.interactions.items.ids.tolist())
    assert {new.pk, films[0].pk} <= ids
    assert films[-1].pk not in ids
    assert not caught.delta.is_of_same_films


def test_a_film_of_which_the_catalogue_tells_otherwise_is_described_anew(
    before: Corpus, films: list[Movie]
) -> None:
    films[4].title = "Quite another story"
    films[4].save()
    caught = catch_up(before)
    assert caught.delta.described.tolist() == [4]
    assert (caught.is_news, caught.n_changed) == (True, 0)


def test_an_empty_database_is_caught_up_with(before: Corpus) -> None:
    for user in User.objects.filter(is_imported=True):
        erase_user(user)
    caught = catch_up(before)
    assert caught.corpus.n_ratings == 0
    assert_whole(caught)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_is_what_all_rows_give(before: Corpus, films: list[Movie], seed: int) -> None:
    rng = random.Random(seed)
    people = [*User.objects.filter(is_imported=True), *(make_user() for _ in range(3))]
    for number in range(40):
        value = rng.choice([None, 0.5, 2.0, 3.5, 5.0])
        at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number)
        rate(rng.choice(people), rng.choice(films), value, at)
        if number in (10, 30):
            erase_user(people.pop(rng.randrange(len(people))))
        if number == 20:
            before = catch_up(before).corpus
    assert_whole(catch_up(before))
