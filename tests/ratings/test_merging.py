"""Two films that are one: what viewers said moves, the newer act wins, nothing is lost, the log stays."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from apps.accounts.models import User
from apps.accounts.privacy import erase_user, export_user
from apps.accounts.services import merge_guest
from apps.catalog.matching import FilmIndex
from apps.catalog.models import Entity, Keyword, Movie, MovieKeyword, MoviePerson, Person
from apps.catalog.records import FilmRecord
from apps.core.errors import ApplicationError, Conflict, InvalidInput
from apps.core.models import AuditEntry
from apps.events.models import Feedback, MovieDay, RecommendationEvent
from apps.ratings import merging
from apps.ratings.merging import KINDS, Moved, merge_movies, preview_merge
from apps.ratings.models import MovedPreference, MovieMerge, Preference, Rating, Thumb
from apps.ratings.services import record_preference
from tests.factories import make_guest, make_movie, make_staff, make_user
from tests.rows import make_impression, make_row

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def pair(**facts: Any) -> tuple[Movie, Movie]:
    return make_movie("Heet", **facts), make_movie("Heat")


def say(user: User, movie: Movie, kind: str, *, minute: int = 0, value: float | None = None) -> None:
    at = NOON + timedelta(minutes=minute)
    record_preference(user_id=user.pk, movie_id=movie.pk, kind=kind, value=value, at=at)


def rate(user: User, movie: Movie, stars: float, minute: int = 0) -> None:
    say(user, movie, "rate", minute=minute, value=stars)


def merge(duplicate: Movie, kept: Movie) -> MovieMerge:
    return merge_movies(duplicate=duplicate, kept=kept, reason="The same film", by=None)


def stars(movie: Movie) -> dict[int, float | None]:
    return dict(Rating.objects.filter(movie=movie).values_list("user_id", "value"))


def counted(movie: Movie) -> tuple[float, int]:
    movie.refresh_from_db()
    return movie.rating_sum, movie.rating_count


# --- What viewers said -----------------------------------------------------------------------------


def test_no_kind_of_preference_is_forgotten() -> None:
    kinds = {model for model in apps.get_models() if issubclass(model, Preference)}
    assert {model for model, _ in KINDS.values()} == kinds


def test_every_kind_of_preference_moves() -> None:
    duplicate, kept = pair()
    user = make_user()
    rate(user, duplicate, 4.5)
    for kind in ("favorite", "watchlist", "thumbs_up", "dismiss", "unseen"):
        say(user, duplicate, kind)
    merge(duplicate, kept)
    for model, _ in KINDS.values():
        assert list(model.objects.values_list("user_id", "movie_id")) == [(user.pk, kept.pk)]
    assert (counted(duplicate), counted(kept)) == ((0.0, 0), (4.5, 1))


@pytest.mark.parametrize(
    ("minute_of_duplicate", "stands"),
    [(1, 2.0), (-1, 5.0)],
    ids=["the duplicate's is newer", "the kept film's is newer"],
)
def test_who_rated_both_keeps_the_newer(minute_of_duplicate: int, stands: float) -> None:
    duplicate, kept = pair()
    user, other = make_user(), make_user()
    rate(user, kept, 5.0)
    rate(user, duplicate, 2.0, minute_of_duplicate)
    rate(other, kept, 3.0)
    merge(duplicate, kept)
    assert stars(kept) == {user.pk: stands, other.pk: 3.0}
    assert stars(duplicate) == {}
    assert (counted(duplicate), counted(kept)) == ((0.0, 0), (stands + 3.0, 2))


def test_a_rating_taken_back_later_overrules_the_one_that_stood() -> None:
    duplicate, kept = pair()
    user = make_user()
    rate(user, kept, 5.0)
    rate(user, duplicate, 4.0, 1)
    say(user, duplicate, "unrate", minute=2)
    merge(duplicate, kept)
    assert stars(kept) == {user.pk: None}
    assert counted(kept) == (0.0, 0)


def test_of_two_thumbs_at_the_same_moment_up_wins() -> None:
    duplicate, kept = pair()
    user = make_user()
    say(user, kept, "thumbs_down")
    say(user, duplicate, "thumbs_up")
    merge(duplicate, kept)
    assert Thumb.objects.get().direction == 1


def test_more_preferences_than_a_batch_move(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "BATCH", 2)
    duplicate, kept = pair()
    people = [make_user() for _ in range(5)]
    for number, user in enumerate(people):
        rate(user, duplicate, 4.0)
        if number % 2:
            rate(user, kept, 1.0, -1)
    assert merge(duplicate, kept).moved["rating"] == {"moved": 3, "newer": 2, "older": 0}
    assert stars(kept) == {user.pk: 4.0 for user in people}
    assert counted(kept) == (20.0, 5)


def test_what_moved_is_new_to_training() -> None:
    duplicate, kept = pair()
    rate(make_user(), duplicate, 4.0)
    before = Rating.objects.get().updated_at
    merge(duplicate, kept)
    assert Rating.objects.get().updated_at > before
    assert Rating.objects.get().changed_at == NOON


def test_nothing_is_lost_each_row_is_kept_as_it_was() -> None:
    duplicate, kept = pair()
    both, one = make_user(), make_user()
    rate(both, kept, 5.0)
    rate(both, duplicate, 2.0, 1)
    rate(one, duplicate, 3.0)
    say(one, duplicate, "watchlist")
    merged = merge(duplicate, kept)
    rows = merged.preferences.values_list("user_id", "movie_id", "kind", "state")
    assert sorted(rows) == sorted(
        [
            (both.pk, duplicate.pk, "rating", 2.0),
            (both.pk, kept.pk, "rating", 5.0),
            (one.pk, duplicate.pk, "rating", 3.0),
            (one.pk, duplicate.pk, "watchlist", 1.0),
        ]
    )
    assert merged.preferences.get(user=both, movie=kept).changed_at == NOON


def test_the_preview_says_what_the_merge_then_does() -> None:
    duplicate, kept = pair(overview="A heist.")
    people = [make_user() for _ in range(6)]
    for number, user in enumerate(people):
        rate(user, duplicate, 4.0)
        say(user, duplicate, "favorite")
        if number < 3:
            rate(user, kept, 2.0, 1 if number else -1)
    preview = preview_merge(duplicate=duplicate, kept=kept)
    assert preview.preferences["rating"] == Moved(moved=3, newer=1, older=2)
    assert preview.preferences["favorite"] == Moved(moved=6)
    assert preview.preferences["thumb"] == Moved()
    assert preview.catalogue.facts == {"overview": "A heist."}
    assert not MovieMerge.objects.exists()
    moved = merge(duplicate, kept).moved
    assert {kind: Moved(**counts) for kind, counts in moved.items()} == preview.preferences


# --- The catalogue and the log ---------------------------------------------------------------------


def test_the_duplicate_is_hidden_and_points_at_the_kept_film_in_one_step() -> None:
    oldest, duplicate = pair()
    kept = make_movie("Heat, 1995")
    merge(oldest, duplicate)
    merge(duplicate, kept)
    for film in (oldest, duplicate):
        film.refresh_from_db()
        assert (film.is_available, film.merged_into) == (False, kept)


def test_the_kept_film_gets_the_ids_and_facts_that_it_lacks_and_keeps_its_own() -> None:
    duplicate = make_movie(
        "Heet", year=1995, overview="Wrong", tmdb_id=949, imdb_id="tt0113277", tmdb_vote_count=7
    )
    kept = make_movie("Heat", overview="Right", imdb_id="tt9999999")
    merge(duplicate, kept)
    kept.refresh_from_db()
    duplicate.refresh_from_db()
    assert (kept.title, kept.year, kept.overview, kept.tmdb_vote_count) == ("Heat", 1995, "Right", 7)
    assert (kept.tmdb_id, kept.imdb_id) == (949, "tt9999999")
    assert (duplicate.tmdb_id, duplicate.imdb_id) == (None, "tt0113277")
    assert [film.pk for film in Movie.objects.search("heat 1995")] == [kept.pk]


def test_links_are_joined_and_the_duplicate_keeps_its_own() -> None:
    duplicate = make_movie("Heet", genres=["Crime", "Drama"])
    kept = make_movie("Heat", genres=["Drama"])
    mann, pacino = (Person.objects.create(name=name) for name in ("Mann", "Pacino"))
    heist = Keyword.objects.create(name="heist")
    for movie, people in ((duplicate, [mann, pacino]), (kept, [mann])):
        for person in people:
            MoviePerson.objects.create(movie=movie, person=person, role="cast")
    MovieKeyword.objects.create(movie=duplicate, keyword=heist, weight=5)
    MovieKeyword.objects.create(movie=kept, keyword=heist, weight=2)
    merge(duplicate, kept)
    assert Movie.objects.get(pk=kept.pk).genre_names == ["Drama", "Crime"]
    assert set(kept.people.values_list("name", flat=True)) == {"Mann", "Pacino"}
    assert MovieKeyword.objects.get(movie=kept).weight == 5
    assert Movie.objects.get(pk=duplicate.pk).genre_names == ["Crime", "Drama"]
    assert duplicate.people.count() == 2


def test_an_import_that_names_the_duplicate_reaches_the_kept_film() -> None:
    duplicate = make_movie("Heet", year=1995, movielens_id=5)
    kept = make_movie("Heat", year=1995, movielens_id=7)
    merge(duplicate, kept)
    index = FilmIndex()
    by_id, by_title = FilmRecord(title="Other", movielens_id=5), FilmRecord(title="Heet", year=1995)
    assert [index.find(record).movie_id for record in (by_id, by_title)] == [kept.pk, kept.pk]


def test_the_names_that_the_knowledge_graph_has_go_over() -> None:
    duplicate, kept = pair()
    Entity.objects.create(key="ml-100k:246", movie=duplicate)
    merge(duplicate, kept)
    assert Entity.objects.get().movie == kept
    assert FilmIndex(keys="ml-100k:").by_key("ml-100k:246") == kept.pk


def test_the_log_goes_on_naming_what_was_shown() -> None:
    event = make_impression(None, make_movie("Heet"))
    make_row(Feedback)
    make_row(MovieDay)
    before = [
        sorted(model.objects.values_list("pk", "movie_id"))
        for model in (RecommendationEvent, Feedback, MovieDay)
    ]
    merge(event.movie, make_movie("Heat"))
    after = [
        sorted(model.objects.values_list("pk", "movie_id"))
        for model in (RecommendationEvent, Feedback, MovieDay)
    ]
    assert after == before


def test_the_audit_says_who_did_it_why_and_what_moved() -> None:
    duplicate, kept = pair(tmdb_id=949)
    rate(make_user(), duplicate, 4.0)
    staff = make_staff(username="grace")
    merged = merge_movies(duplicate=duplicate, kept=kept, reason="The same film", by=staff)
    entry = AuditEntry.objects.get(action="ratings.merge_movies")
    assert (entry.actor_name, entry.reason, entry.target_id) == (
        "grace",
        "The same film",
        str(duplicate.pk),
    )
    assert entry.before["external_ids"] == {"tmdb_id": 949}
    assert (entry.after["merge"], entry.after["merged_into"]) == (merged.pk, kept.pk)
    assert entry.after["moved"]["rating"] == {"moved": 1, "newer": 0, "older": 0}


# --- Refusals --------------------------------------------------------------------------------------


def test_one_film_is_not_merged_into_itself() -> None:
    film = make_movie()
    with pytest.raises(InvalidInput, match=r"^Choose two different films$"):
        merge(film, film)


def test_a_film_is_not_merged_into_a_hidden_one() -> None:
    kept = make_movie("Heat", is_available=False)
    with pytest.raises(Conflict, match=r"^Heat is hidden: show it before another film is merged into it$"):
        merge(make_movie(), kept)


def test_a_film_is_not_merged_into_one_that_was_merged_itself() -> None:
    duplicate, kept = pair()
    merge(duplicate, kept)
    with pytest.raises(Conflict, match=rf"^Heet was itself merged into film {kept.pk}: choose that one$"):
        merge(make_movie(), duplicate)


def test_a_film_that_was_merged_is_not_merged_into_another() -> None:
    duplicate, kept = pair()
    merge(duplicate, kept)
    with pytest.raises(Conflict, match=rf"^Heet was merged into film {kept.pk} already$"):
        merge(duplicate, make_movie())


def test_what_reached_the_duplicate_meanwhile_follows_when_the_two_are_merged_again() -> None:
    duplicate, kept = pair()
    merge(duplicate, kept)
    late = make_user()
    rate(late, duplicate, 4.0)
    merge(duplicate, kept)
    assert stars(kept) == {late.pk: 4.0}
    assert counted(duplicate) == (0.0, 0)


def test_a_merge_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    duplicate, kept = pair()
    user = make_user()
    rate(user, duplicate, 4.0)

    def refuse(**films: Movie) -> None:
        raise Conflict("Somebody was faster")

    monkeypatch.setattr(merging, "absorb", refuse)
    with pytest.raises(ApplicationError, match=r"^Somebody was faster$"):
        merge(duplicate, kept)
    assert stars(duplicate) == {user.pk: 4.0}
    assert (counted(duplicate), counted(kept)) == ((4.0, 1), (0.0, 0))
    assert not MovieMerge.objects.exists()


@pytest.mark.parametrize("number", [3, 30])
def test_a_merge_takes_as_many_queries_for_many_people_as_for_few(
    number: int, django_assert_max_num_queries: Any
) -> None:
    duplicate, kept = pair()
    for spot in range(number):
        user = make_user()
        rate(user, duplicate, 4.0)
        if spot % 3 == 0:
            rate(user, kept, 3.0, -1)
    with django_assert_max_num_queries(40):
        merge(duplicate, kept)


# --- People ----------------------------------------------------------------------------------------


def test_what_was_kept_of_a_merge_goes_with_the_person() -> None:
    duplicate, kept = pair()
    user = make_user()
    rate(user, duplicate, 4.0)
    merge(duplicate, kept)
    assert b"moved_preferences.json" in export_user(user)
    erase_user(user)
    assert not MovedPreference.objects.exists()
    assert counted(kept) == (0.0, 0)


def test_what_was_kept_of_a_guest_goes_over_to_their_account() -> None:
    duplicate, kept = pair()
    guest, account = make_guest(), make_user()
    rate(guest, duplicate, 4.0)
    merge(duplicate, kept)
    merge_guest(guest=guest, into=account)
    assert MovedPreference.objects.get().user == account


def test_the_database_keeps_merged_films_hidden() -> None:
    duplicate, kept = pair()
    merge(duplicate, kept)
    assert "movies_merged_are_hidden" in connection.introspection.get_constraints(
        connection.cursor(), "movies"
    )
