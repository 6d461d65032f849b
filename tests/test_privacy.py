"""Everything held about a person is handed out, and nothing of it is left after erasure."""

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection, models
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Session, User
from apps.accounts.privacy import erase_user, export_user, registered_sources
from apps.catalog.models import Movie
from apps.core.services import record_audit
from apps.events.models import Feedback, RecommendationEvent, Slate, SlateAssignment
from apps.experiments.models import Decision
from apps.experiments.services import override, roll_up
from apps.ratings.merging import merge_movies
from apps.ratings.models import Favorite, Rating
from apps.training.models import Recipe, Rollout
from apps.training.services import activate
from tests.callers import Caller, guest, signed_in
from tests.experiments.setup import make_experiment, make_version
from tests.factories import PASSWORD, make_movie, make_rating, make_user
from tests.house import House, make_house
from tests.pages.conftest import nothing_kept
from tests.recommendations.test_recommend import ask, serve
from tests.rows import NOW, make_back_test

__all__ = ["nothing_kept"]

pytestmark = pytest.mark.django_db

FILM = ["movie_id", "title", "year", "imdb_id", "tmdb_id", "movielens_id"]
NAME, EMAIL, FIRST, LAST = "ursula-of-anarres", "ursula@anarres.example", "Ursulaq", "Kroeberq"


@pytest.fixture
def house(nothing_kept: None) -> House:
    return make_house()


def api(caller: Caller, method: str, path: str, **body: Any) -> Any:
    response = caller.send(method, f"/api/v1/{path}", body or None)
    assert response.status_code in {200, 201}, response.content
    return response.json()


def do_everything(caller: Caller, films: Sequence[Movie]) -> None:
    """Every kind of act that the site knows, on lists that were shown and on films that were found."""
    shown = api(caller, "GET", "movies/recommendations?n=6")
    for number, kind in enumerate(("view", "click", "thumbs_up", "favorite", "watchlist", "dismiss")):
        slot = shown["recommendations"][number]
        body = {"item_id": slot["movie_id"], "event_id": slot["event_id"], "client_id": f"own-{number}"}
        api(caller, "POST", "events", event_type=kind, **body)
    api(caller, "PUT", f"ratings/{films[0].pk}", rating=4.5)
    api(caller, "PUT", f"ratings/{films[1].pk}", rating=2)
    api(caller, "DELETE", f"ratings/{films[1].pk}")
    import_a_file(caller, films[4])
    unseen = caller.browser.post(f"/welcome/unseen/{films[3].pk}", headers=caller.headers)
    assert unseen.status_code == 302
    assert caller.browser.get("/").status_code == 200
    assert caller.browser.get(f"/film/{films[2].pk}").status_code == 200


def import_a_file(caller: Caller, film: Movie) -> None:
    """One rating of a film that is here, and one that nobody knows."""
    said = f"2026-01-02,{film.title},{film.year},,4\n2026-01-02,A private film,2001,,1\n"
    header = "Date,Name,Year,Letterboxd URI,Rating\n"
    made = caller.send_file("/api/v1/me/import", f"{caller.user.username}.csv", (header + said).encode())
    assert made.status_code == 201, made.content
    api(caller, "POST", f"me/import/{made.json()['id']}/apply", rule="newer")


def take_part_in_an_experiment(unit_key: UUID) -> None:
    experiment = make_experiment()
    override(key=experiment.key, unit_key=unit_key, variant="treatment", by=None, reason="A look")
    for slate in Slate.objects.filter(unit_key=unit_key):
        SlateAssignment.objects.create(
            slate=slate, experiment_key=experiment.key, phase=1, variant="control", counted=True
        )
    roll_up()


def make_account() -> User:
    return make_user(NAME, email=EMAIL, first_name=FIRST, last_name=LAST, timezone="Europe/Lisbon")


def log_in(caller: Caller) -> Caller:
    """By the site's own form, which adopts the guest of the browser."""
    data = {"username": NAME, "password": PASSWORD}
    assert caller.browser.post("/log-in", data, headers=caller.headers).status_code == 302
    caller.headers["X-CSRFToken"] = caller.browser.cookies["csrftoken"].value
    return caller


def leave_every_trace(house: House) -> tuple[User, User]:
    """An account and the guest that it was, who have done all there is to do."""
    visitor = guest()
    do_everything(visitor, house.horror)
    was = User.objects.get(is_guest=True)
    account = make_account()
    log_in(visitor)
    do_everything(visitor, house.comedy)
    tokens = Client().post(
        "/api/v1/auth/token", {"username": NAME, "password": PASSWORD}, content_type="application/json"
    )
    assert tokens.status_code == 200
    for unit in (was.unit_key, account.unit_key):
        take_part_in_an_experiment(unit)
    experiment = make_experiment("led")
    make_back_test(overridden_by=account.username, overridden_because="A look", overridden_at=NOW)
    Decision.objects.create(
        experiment=experiment, phase=1, kind="stop", at=experiment.created_at, by=account.username
    )
    recipe = Recipe.objects.get_or_create(name="standard")[0]
    Rollout.objects.create(
        recipe=recipe, against="old", reason="Better", asked_by=account.username, asked_at=timezone.now()
    )
    activate(version=make_version("spare"), by=account, reason="Back")
    Recipe.objects.filter(name="spare").update(held_because="Back", held_by=account.username)
    record_audit("catalog.update_movie", by=account, target=house.horror[0])
    twin = make_movie("Laugh 15, again")
    make_rating(account, twin, 3.0)
    merge_movies(duplicate=twin, kept=house.comedy[15], reason="The same film", by=account)
    return account, was


def exported(user: User) -> dict[str, list[dict[str, Any]]]:
    with zipfile.ZipFile(io.BytesIO(export_user(user))) as files:
        names = [name for name in files.namelist() if name.endswith(".json")]
        return {name.removesuffix(".json"): json.loads(files.read(name)) for name in names}


# --- Finding a word in any table -----------------------------------------------------------------


def traces(*words: str) -> list[str]:
    """Columns that hold one of the words: of every table there is, ours or not, whatever their type."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            columns = [f"{table}.{column[0]}" for column in cursor.description]
            for row in cursor.fetchall():
                cells = zip(columns, map(_text, row), strict=True)
                found |= {column for column, text in cells if any(word in text for word in words)}
    return sorted(found)


def _text(value: Any) -> str:
    """As it would be found, be it in bytes, in JSON or as a UUID."""
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("latin-1").lower()
    return str(value).replace("-", "").lower()


def words_of(user: User) -> list[str]:
    texts = (NAME, EMAIL, FIRST, LAST, user.username, user.unit_key.hex, "A private film")
    return [text.replace("-", "").lower() for text in texts]


def test_finds_a_word_wherever_it_stands() -> None:
    user = make_account()
    record_audit("a", by=user, after={"deep": [{"in": "JSON"}]})
    assert set(traces(FIRST.lower())) == {"users.first_name"}
    assert set(traces(user.unit_key.hex)) == {"users.unit_key"}
    assert "audit_entries.after" in traces("deep")


# --- Export --------------------------------------------------------------------------------------


def test_the_export_holds_something_of_every_source(house: House) -> None:
    account, was = leave_every_trace(house)
    held = exported(account)
    assert set(held) == {source.name for source in registered_sources()}
    assert [name for name, rows in held.items() if not rows] == []
    assert [row["username"] for row in held["profile"]] == [NAME, was.username]
    assert len(held["slates"]) == Slate.objects.count()
    assert len(held["impressions"]) == RecommendationEvent.objects.count()
    assert len(held["feedback"]) == Feedback.objects.count() == 18


def test_the_export_tells_how_the_arms_of_a_list_were_drawn(house: House) -> None:
    serve({"policy": "bandit", "arms": ["svd", "als", "popular"], "slots": 2, "diversity": 0.0})
    account = make_account()
    for film in house.horror[:3]:
        make_rating(account, film, 5.0)
    ask(account, n=4)
    (row,) = exported(account)["slates"]
    slate = Slate.objects.get()
    assert (row["owners"], row["posterior"]) == (slate.owners, slate.posterior)
    assert len(row["owners"]) == 4
    assert row["posterior"]["arms"], "a bandit drew it"


def test_the_exports_columns_have_plain_names(house: House) -> None:
    account, _ = leave_every_trace(house)
    held = exported(account)
    assert [name for rows in held.values() for row in rows for name in row if "__" in name] == []
    assert list(held["ratings"][0]) == [*FILM, "value", "changed_at"]
    assert list(held["feedback"][0])[:4] == ["id", "movie_id", "title", "kind"]


def test_every_column_that_points_at_a_user_belongs_to_a_source() -> None:
    """A table that is new here holds something of a person: give it a source, then name it."""
    pointing = {
        f"{model._meta.db_table}.{field.column}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and field.related_model is User
    }
    assert pointing == {
        "users.merged_into_id",
        "sessions.user_id",
        "users_groups.user_id",
        "users_user_permissions.user_id",
        "django_admin_log.user_id",
        "token_blacklist_outstandingtoken.user_id",
        "ratings.user_id",
        "favorites.user_id",
        "watchlist_items.user_id",
        "thumbs.user_id",
        "dismissals.user_id",
        "unseen_films.user_id",
        "slates.user_id",
        "recommendation_events.user_id",
        "feedback.user_id",
        "imports.user_id",
        "moved_preferences.user_id",
    }


def test_nobody_gets_what_is_held_about_somebody_else(house: House) -> None:
    leave_every_trace(house)
    held = exported(make_user())
    assert {name for name, rows in held.items() if rows} == {"profile"}


# --- Erasure -------------------------------------------------------------------------------------


def test_erasing_leaves_the_log_and_no_trace_of_the_person(house: House) -> None:
    others = Movie.objects.in_bulk()
    account, was = leave_every_trace(house)
    counts = Slate.objects.count(), RecommendationEvent.objects.count()
    outcomes = sorted(RecommendationEvent.objects.values_list("pk", "outcome", "algorithm", "propensity"))
    words = words_of(account) + words_of(was)
    assert traces(*words)
    erase_user(account, by=account)
    assert traces(*words) == []
    assert (Slate.objects.count(), RecommendationEvent.objects.count()) == counts
    kept = sorted(RecommendationEvent.objects.values_list("pk", "outcome", "algorithm", "propensity"))
    assert kept == outcomes
    assert not Feedback.objects.exists()
    assert not Session.objects.exists()
    assert not User.objects.filter(pk__in=[account.pk, was.pk]).exists()
    for movie in Movie.objects.all():
        before = others.get(movie.pk, Movie())
        assert (movie.rating_sum, movie.rating_count) == (before.rating_sum, before.rating_count)


def test_what_a_slate_was_made_from_goes_with_the_person(house: House) -> None:
    account, _ = leave_every_trace(house)
    made = Slate.objects.exclude(history=b"")
    assert made.exists()
    erase_user(account)
    assert not made.exists()
    assert set(Slate.objects.values_list("user", "unit_key")) == {(None, None)}
    assert set(RecommendationEvent.objects.values_list("user", flat=True)) == {None}


def test_no_reason_names_what_the_person_rated_and_no_stars_are_left(house: House) -> None:
    account, _ = leave_every_trace(house)
    events = RecommendationEvent.objects.all()
    assert events.exclude(reason__movie_ids=[]).exists()
    assert events.filter(rating_value__isnull=False).exists()
    rated = events.filter(rated=True).count()
    erase_user(account)
    assert not events.exclude(reason={}, rating_value=None).exists()
    assert events.filter(rated=True).count() == rated


def test_a_guest_erases_themselves_by_the_cookie_alone(house: House) -> None:
    visitor = guest()
    do_everything(visitor, house.horror)
    was = User.objects.get(is_guest=True)
    rows = RecommendationEvent.objects.count()
    assert visitor.send("DELETE", "/api/v1/me").status_code == 204
    assert traces(was.username.replace("-", ""), was.unit_key.hex) == []
    assert RecommendationEvent.objects.count() == rows
    assert api(visitor, "GET", "ratings")["count"] == 0


def test_an_account_erases_itself_by_its_password_alone(house: House) -> None:
    account = make_account()
    browser = signed_in(account)
    do_everything(browser, house.comedy)
    assert browser.send("DELETE", "/api/v1/me", {"password": "wrong"}).status_code == 400
    assert User.objects.filter(pk=account.pk).exists()
    assert browser.send("DELETE", "/api/v1/me", {"password": PASSWORD}).status_code == 204
    assert traces(*words_of(account)) == []


# --- Guests who log in ---------------------------------------------------------------------------


def test_at_log_in_the_accounts_own_win_and_the_log_keeps_its_unit(house: House) -> None:
    account = make_account()
    browser = signed_in(account)
    api(browser, "PUT", f"ratings/{house.horror[0].pk}", rating=1)
    api(browser, "PUT", f"favorites/{house.horror[3].pk}")
    api(browser, "DELETE", f"favorites/{house.horror[3].pk}")
    visitor = guest()
    do_everything(visitor, house.horror)
    was = User.objects.get(is_guest=True)
    api(visitor, "PUT", f"favorites/{house.horror[3].pk}")
    said = Feedback.objects.filter(unit_key=was.unit_key).count()
    log_in(visitor)
    mine = Rating.objects.of(account.pk)
    assert mine.get(movie=house.horror[0]).value == 1
    assert mine.get(movie=house.horror[1]).value is None
    assert not Favorite.objects.get(user=account, movie=house.horror[3]).is_active
    assert not Rating.objects.of(was.pk).exists()
    assert Feedback.objects.filter(unit_key=was.unit_key, user=account).count() == said
    assert set(Slate.objects.filter(unit_key=was.unit_key).values_list("user", flat=True)) == {account.pk}
    assert api(visitor, "GET", "me")["username"] == NAME
