"""Lists that are one arm's by definition: who serves them, their reasons, and an older model."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.catalog.services import update_movie
from apps.events.models import RecommendationEvent, Slate, Surface
from apps.recommendations.reasons import POPULAR, Lead, reason_of
from apps.recommendations.services import recommend
from apps.recommendations.services.planning import _warn_replaced
from apps.recommendations.slates import Reason, ServedSlate, SlateRequest
from apps.training import registry
from apps.training.models import ModelVersion
from apps.training.services import train
from tests.callers import Caller, bearer, guest
from tests.factories import make_rating, make_staff, make_user
from tests.house import House
from tests.pages.conftest import rate

pytestmark = pytest.mark.django_db
URL = "/api/v1/movies/recommendations"


def ask(viewer: User, surface: Surface, n: int = 10, **wishes: Any) -> ServedSlate:
    return recommend(SlateRequest(viewer=viewer, unit_key=viewer.unit_key, surface=surface, n=n, **wishes))


def mark_long_tail(*films: Movie) -> set[int]:
    """As of the next fit."""
    ids = {film.pk for film in films}
    Movie.objects.filter(pk__in=ids).update(is_long_tail=True)
    return ids


def train_without(monkeypatch: pytest.MonkeyPatch, *arms: str) -> None:
    """A version of a program that had not got these arms yet."""
    from apps.training.services import fitting

    held = tuple(name for name in fitting.ARMS if name not in arms)
    monkeypatch.setattr(fitting, "ARMS", held)
    train()
    registry.reset()


@pytest.mark.parametrize(
    ("surface", "arm"),
    [(Surface.GEMS, "long_tail"), (Surface.HOME_GEMS, "long_tail"), (Surface.SURPRISE, "serendipity")],
)
def test_a_list_of_its_own_arm_is_logged_on_its_surface_and_not_counted(
    fan: User, surface: Surface, arm: str
) -> None:
    slate = ask(fan, surface)
    row = Slate.objects.get(pk=slate.recommendation_id)
    assert (row.surface, row.strategy, row.counted) == (surface, arm, False)
    events = RecommendationEvent.objects.filter(slate=row)
    assert set(events.values_list("algorithm", "propensity")) == {(arm, 1.0)}


@pytest.mark.parametrize("surface", [Surface.GEMS, Surface.HOME_GEMS, Surface.SURPRISE])
def test_the_default_arm_stands_in_for_one_that_the_version_lacks(
    fan: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, surface: Surface
) -> None:
    train_without(monkeypatch, "long_tail", "serendipity")
    # A version of the same name may have been fitted within the second, of which it was said already.
    _warn_replaced.cache_clear()
    slate = ask(fan, surface)
    assert (slate.strategy, slate.degraded, len(slate.slots)) == ("hybrid", None, 10)
    assert {slot.algorithm for slot in slate.slots} == {"hybrid"}
    assert "arm_replaced arm=" in caplog.text


def test_gems_say_for_whom_they_are_and_other_films_do_not_call_themselves_so(house: House) -> None:
    gems = mark_long_tail(*house.horror[10:14])
    train()
    viewer = make_user()
    make_rating(viewer, house.horror[0], 5.0)
    reasons = {slot.movie_id: slot.reason for slot in ask(viewer, Surface.API, algorithm="long_tail").slots}
    said = Reason("hidden_gem", "A hidden gem for people who liked Fright 0", (house.horror[0].pk,))
    assert {reasons.pop(movie_id) for movie_id in gems} == {said}
    assert "hidden_gem" not in {reason.kind for reason in reasons.values()}


def test_gems_of_somebody_who_liked_nothing_are_the_best_known_and_say_what_they_are(house: House) -> None:
    gems = mark_long_tail(*house.horror[:3], *house.comedy[:3])
    train()
    viewer = make_user()
    for film in house.comedy[4:6]:
        make_rating(viewer, film, 1.0)
    slots = ask(viewer, Surface.API, algorithm="long_tail").slots
    assert {slot.movie_id for slot in slots[:6]} == gems
    counts = [Movie.objects.get(pk=slot.movie_id).rating_count for slot in slots]
    assert counts == sorted(counts[:6], reverse=True) + sorted(counts[6:], reverse=True)
    assert {slot.algorithm for slot in slots} == {"long_tail"}
    said = Reason("hidden_gem", "A hidden gem: highly rated, by few people")
    assert [slot.reason for slot in slots] == [said] * 6 + [POPULAR] * 4


def test_surprises_say_that_they_are_off_the_path_of_who_has_one(house: House) -> None:
    viewer = make_user()
    kinds = []
    for film in house.horror[:2]:
        make_rating(viewer, film, 5.0)
        kinds.append({slot.reason.kind for slot in ask(viewer, Surface.SURPRISE).slots})
    assert "unexpected" not in kinds[0], "one film liked is no path"
    assert kinds[1] == {"unexpected"}


def test_a_surprise_of_the_viewers_usual_genre_does_not_say_that_it_is_off_the_path(
    house: House, fan: User
) -> None:
    slots = ask(fan, Surface.SURPRISE, n=29).slots
    kinds = {slot.movie_id: slot.reason.kind for slot in slots}
    assert {kinds[film.pk] for film in house.comedy} == {"unexpected"}
    assert "unexpected" not in {kinds[film.pk] for film in house.horror[3:]}


def test_a_surprise_is_off_the_path_by_the_rule_that_placed_it(house: House, fan: User) -> None:
    film = update_movie(movie=house.comedy[0], by=None, genres=["Horror", "Comedy"])
    train()
    slots = ask(fan, Surface.SURPRISE, n=29).slots
    kinds = [slot.reason.kind for slot in slots]
    assert kinds == ["unexpected"] * 16 + kinds[16:], "these come first"
    assert film.pk in {slot.movie_id for slot in slots[:16]}, "though it shares a genre with all films liked"


@pytest.mark.parametrize(
    ("lead", "reason"),
    [
        (
            Lead(liked=(7,), claim="unexpected"),
            Reason("unexpected", "Off your usual path: liked by people who liked {Fargo}", (7,)),
        ),
        (Lead(claim="unexpected"), Reason("unexpected", "Off your usual path")),
        (Lead(claim="hidden_gem"), Reason("hidden_gem", "A hidden gem: highly rated, by few people")),
        (
            Lead(rated=(7,), genre="Drama", claim="hidden_gem"),
            Reason("hidden_gem", "A hidden gem: highly rated, by few people"),
        ),
    ],
)
def test_a_claim_is_made_with_a_film_that_was_liked_or_without_any(lead: Lead, reason: Reason) -> None:
    assert reason_of(lead, {7: "{Fargo}"}) == reason


# --- By the API ----------------------------------------------------------------------------------


def by_api(caller: Caller, query: str) -> Any:
    return caller.send("GET", f"{URL}?{query}").json()


def test_any_viewer_may_ask_for_the_long_tail_and_gets_it(house: House, fan: User) -> None:
    gems = mark_long_tail(*house.horror[4:10], *house.comedy[:6])
    train()
    slate = by_api(bearer(fan), "algorithm=long_tail&n=10")
    shown = {slot["movie_id"] for slot in slate["recommendations"]}
    assert len(shown & gems) >= 9
    assert (slate["strategy"], slate["overridden_by"]) == ("long_tail", "algorithm")
    row = Slate.objects.get(pk=slate["recommendation_id"])
    assert (row.surface, row.overridden_by, row.counted) == ("api", "algorithm", False)


@pytest.mark.parametrize("is_first_hit", [True, False])
def test_somebody_new_gets_the_films_of_the_page_from_the_api(
    client: Client, house: House, is_first_hit: bool
) -> None:
    gems = mark_long_tail(*house.horror[4:8], *house.comedy[:3])
    train()
    if not is_first_hit:
        client.get("/about")
    slate = client.get(URL, {"algorithm": "long_tail", "n": len(gems)}).json()
    shown = [(slot["movie_id"], slot["algorithm"]) for slot in slate["recommendations"]]
    cards = client.get("/gems").context["gems"].cards
    assert shown == [(card.movie_id, "long_tail") for card in cards]
    assert (slate["strategy"], slate["degraded"]) == ("long_tail", None)


def test_a_guest_may_ask_for_surprises(client: Client, house: House) -> None:
    client.get("/about")
    for film in house.horror[:3]:
        rate(client, film, 5)
    slate = client.get(URL, {"algorithm": "serendipity", "n": 5}).json()
    assert (slate["strategy"], slate["overridden_by"]) == ("serendipity", "algorithm")
    assert {slot["algorithm"] for slot in slate["recommendations"]} == {"serendipity"}


def test_an_arm_that_the_version_lacks_cannot_be_chosen(fan: User, monkeypatch: pytest.MonkeyPatch) -> None:
    train_without(monkeypatch, "long_tail")
    answer = bearer(fan).send("GET", f"{URL}?algorithm=long_tail")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:marquee:problem:conflict")
    assert answer.json()["detail"] == (
        "The model that serves now was fitted without 'long_tail': leave algorithm out, or try again after"
        " the next training"
    )
    assert not Slate.objects.exists()


def test_a_wish_for_an_arm_that_the_version_lacks_is_not_granted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_without(monkeypatch, "long_tail")
    slate = bearer(make_staff()).send("POST", "/api/v1/recommend", {"model_type": "long_tail"}).json()
    assert (slate["strategy"], slate["overridden_by"]) == ("hybrid", None)


def test_without_a_model_a_chosen_arm_is_popular_films_as_ever(house: House) -> None:
    ModelVersion.objects.update(status="retired", artifact="")
    registry.reset()
    slate = by_api(guest(), "algorithm=long_tail")
    assert slate["degraded"] == "no_model"
