"""Recipes that learn from more than ratings: whatever people did meanwhile, a catch-up gives what a reading
of all rows gives."""

import random
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.privacy import erase_user
from apps.accounts.services import merge_guest
from apps.catalog.models import Movie
from apps.events.models import Feedback
from apps.ratings.merging import merge_movies
from apps.ratings.models import Dismissal, Favorite, Rating, RatingDeparture, Thumb, WatchlistItem
from apps.ratings.services import record_preference
from apps.training.catching_up import catch_up
from apps.training.corpus import Corpus, open_corpus, save_corpus
from apps.training.data import DataParameters
from apps.training.datasets import build_corpus
from tests.factories import make_user
from tests.training.acting import act, show
from tests.training.catching import assert_whole

pytestmark = pytest.mark.django_db

KINDS = (
    "view click rate unrate favorite unfavorite watchlist unwatchlist thumbs_up thumbs_down thumbs_clear "
    "dismiss undismiss"
).split()
ALL = DataParameters(thumbs=0.8, favorites=0.6, watchlist=0.4, clicks=0.2, inverse_propensity=True)
DATA = {
    "ratings": DataParameters(),
    "thumbs": DataParameters(thumbs=1.0),
    "favourites": DataParameters(favorites=0.5),
    "watchlist": DataParameters(watchlist=0.5),
    "clicks": DataParameters(clicks=0.2),
    "propensities": DataParameters(inverse_propensity=True, propensity_cap=3),
    "all": ALL,
}


def long_ago() -> None:
    """As if all that is there had been written two days ago."""
    then = timezone.now() - timedelta(days=2)
    Movie.objects.update(updated_at=then)
    for model in (Rating, Thumb, Favorite, WatchlistItem, Dismissal):
        model._default_manager.update(updated_at=then)
    Feedback.objects.update(received_at=then)
    RatingDeparture.objects.update(at=then)


@pytest.fixture
def people(films: list[Movie]) -> list[User]:
    """Some have acted, with and without a list."""
    # The fixture's ratings came past the services that count them.
    Movie.objects.update(rating_count=1_000, rating_sum=4_000)
    found = [*User.objects.filter(is_imported=True), *(make_user() for _ in range(3))]
    rng = random.Random(7)
    for _ in range(30):
        act_somehow(rng, found, films)
    return found


def act_somehow(rng: random.Random, people: list[User], films: list[Movie]) -> None:
    user, film, kind = rng.choice(people), rng.choice(films), rng.choice(KINDS)
    event = None
    if rng.random() < 0.5:
        propensity = rng.choice([None, 0.05, 0.3, 1.0])
        event = show(user, film, arm=rng.choice(["svd", "als", "gone"]), propensity=propensity)
    act(user, film, kind, rng.choice([1.0, 3.5, 5.0]) if kind == "rate" else None, event=event)


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_is_what_all_rows_give(
    people: list[User], films: list[Movie], data: DataParameters, seed: int
) -> None:
    rng = random.Random(seed)
    guest, account = make_user(is_guest=True), make_user()
    long_ago()
    before = build_corpus(data)
    for number in range(40):
        act_somehow(rng, people, films)
        if number in (10, 25):
            erase_user(people.pop(rng.randrange(len(people))))
        if number == 15:
            for _ in range(12):
                act_somehow(rng, [guest, account], films)
        if number == 20:
            save_corpus("half-way", catch_up(before).corpus)
            before = open_corpus("half-way")
            # So that nobody is read again only because of the overlap.
            long_ago()
        if number == 30:
            merge_movies(duplicate=films[1], kept=films[2], reason="one film", by=None)
            films = [film for film in films if film != films[1]]
            merge_guest(guest=guest, into=account)
    assert_whole(catch_up(before))


@pytest.fixture
def before(people: list[User]) -> Corpus:
    long_ago()
    return build_corpus(ALL)


def test_nothing_done_reads_nothing(before: Corpus) -> None:
    caught = catch_up(before)
    assert (caught.is_news, caught.n_read, caught.n_changed) == (False, 0, 0)
    assert_whole(caught)


def test_of_who_acted_alone_rows_are_read(before: Corpus, people: list[User], films: list[Movie]) -> None:
    newcomer = make_user()
    for film in films[:3]:
        act(newcomer, film, "click")
    caught = catch_up(before)
    assert (caught.n_read, caught.n_changed, caught.delta.n_people) == (3, 3, 1)
    assert_whole(caught)


def test_a_click_that_is_attributed_to_a_list_later_bears_its_arm(
    before: Corpus, people: list[User], films: list[Movie]
) -> None:
    newcomer = make_user()
    act(newcomer, films[0], "click")
    before = catch_up(before).corpus
    event = show(newcomer, films[0], arm="als", propensity=0.3)
    act(newcomer, films[0], "click", event=event)
    caught = catch_up(before)
    assert_whole(caught)
    row = int(np.flatnonzero(caught.corpus.people == newcomer.pk)[0])
    found = caught.corpus.interactions.of_people(np.array([row]))
    assert found.shown_by is not None
    assert [found.arm_names[code] for code in found.shown_by] == ["als"]


def test_who_only_clicked_and_was_erased_is_gone(
    before: Corpus, people: list[User], films: list[Movie]
) -> None:
    newcomer = make_user()
    act(newcomer, films[0], "click", event=show(newcomer, films[0]))
    before = catch_up(before).corpus
    number = newcomer.pk
    assert number in before.people
    erase_user(newcomer)
    caught = catch_up(before)
    assert number not in caught.corpus.people
    assert_whole(caught)


def test_an_update_keeps_what_weights_are_divided_by(
    before: Corpus, people: list[User], films: list[Movie]
) -> None:
    newcomer = make_user()
    act(newcomer, films[0], "rate", 5.0, event=show(newcomer, films[0], propensity=0.02))
    caught = catch_up(before)
    assert caught.corpus.mean_inverse == before.mean_inverse != build_corpus(ALL).mean_inverse
    assert caught.delta.n_people == 1
    assert_whole(caught)


def test_a_guest_who_only_clicked_and_signs_in_leaves_the_clicks_to_the_account(
    before: Corpus, films: list[Movie]
) -> None:
    guest, account = make_user(is_guest=True), make_user()
    act(guest, films[0], "click")
    before = catch_up(before).corpus
    long_ago()
    merge_guest(guest=guest, into=account)
    caught = catch_up(before)
    assert account.pk in caught.corpus.people
    assert guest.pk not in caught.corpus.people
    assert_whole(caught)


@pytest.mark.parametrize("kind", ["thumbs_up", "favorite", "watchlist"])
def test_a_guest_who_signs_in_leaves_any_preference_to_the_account(
    before: Corpus, films: list[Movie], kind: str
) -> None:
    guest, account = make_user(is_guest=True), make_user()
    record_preference(user_id=guest.pk, movie_id=films[0].pk, kind=kind, value=None, at=timezone.now())
    before = catch_up(before).corpus
    long_ago()
    merge_guest(guest=guest, into=account)
    caught = catch_up(before)
    assert account.pk in caught.corpus.people
    assert_whole(caught)
