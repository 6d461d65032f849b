"""A film's page, and what is said on it."""

import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Keyword, Movie, MovieKeyword, MoviePerson, Person
from apps.events.models import Feedback, RecommendationEvent
from apps.ratings.models import Dismissal, Favorite, Rating, Thumb, WatchlistItem
from tests.factories import make_movie, make_rating, make_user
from tests.house import House
from tests.pages.conftest import rate, say

pytestmark = pytest.mark.django_db


def shown_event(client: Client) -> RecommendationEvent:
    client.get("/")
    return RecommendationEvent.objects.order_by("pk").first()


def test_tells_what_is_known_of_a_film(visitor: Client) -> None:
    film = make_movie("Alien", year=1979, genres=["Horror", "Sci-Fi"], overview="A ship wakes.", runtime=117)
    page = visitor.get(f"/film/{film.pk}").content.decode()
    for fact in (
        "<title>Alien (1979) · Marquee</title>",
        "1 h 57 min",
        "Sci-Fi",
        "A ship wakes.",
        "nobody rated",
    ):
        assert fact in page


def figures(page: str) -> list[str]:
    """The averages in plain text."""
    return [
        " ".join(re.sub("<[^>]+>", " ", one).split()) for one in re.findall('(?s)"figure">(.*?)</dd>', page)
    ]


def test_the_average_is_that_of_the_ratings_it_counts(visitor: Client) -> None:
    film = make_movie("Alien")
    make_rating(movie=film, value=1.0)
    assert "Average 1.0 ★ from 1 rating" in figures(visitor.get(f"/film/{film.pk}").content.decode())
    make_rating(movie=film, value=4.0)
    assert "Average 2.5 ★ from 2 ratings" in figures(visitor.get(f"/film/{film.pk}").content.decode())


def test_tmdbs_votes_stand_apart_under_their_name(visitor: Client) -> None:
    film = make_movie("Alien", tmdb_vote_average=8.14, tmdb_vote_count=1234)
    shown = figures(visitor.get(f"/film/{film.pk}").content.decode())
    assert shown[:2] == ["Average nobody rated it yet", "At TMDB 8.1 of 10 from 1,234 votes"]


def test_answers_404_for_a_hidden_film(visitor: Client) -> None:
    film = make_movie("Alien", is_available=False)
    assert visitor.get(f"/film/{film.pk}").status_code == 404
    assert rate(visitor, film, 4).status_code == 404


def test_answers_404_for_an_id_no_column_holds(visitor: Client) -> None:
    assert visitor.get("/film/99999999999999999999").status_code == 404


def test_shows_films_like_it(visitor: Client, house: House) -> None:
    response = visitor.get(f"/film/{house.horror[0].pk}")
    similar = [card.movie_id for card in response.context["page"].similar]
    assert len(similar) == 6
    assert set(similar) <= {film.pk for film in house.horror[1:]}


def test_expects_stars_of_a_known_viewer_only(visitor: Client, house: House) -> None:
    path = f"/film/{house.horror[1].pk}"
    assert visitor.get(path).context["page"].expected is None
    rate(visitor, house.horror[0], 5)
    response = visitor.get(path)
    assert response.context["page"].expected > 4
    assert "it stands here" not in response.content.decode()


def test_takes_the_click_from_the_link_once(visitor: Client, house: House) -> None:
    event = shown_event(visitor)
    for _ in range(2):
        visitor.get(f"/film/{event.movie_id}?e={event.pk}")
    event.refresh_from_db()
    assert event.clicked
    assert list(Feedback.objects.values_list("kind", "event_id")) == [("view", event.pk)]


def test_takes_no_click_for_what_somebody_else_was_shown(visitor: Client, house: House) -> None:
    event = shown_event(visitor)
    other = Client()
    other.get("/about")
    people = User.objects.count()
    assert other.get(f"/film/{event.movie_id}?e={event.pk}").status_code == 200
    assert (User.objects.count(), Feedback.objects.count()) == (people, 0)


@pytest.mark.parametrize("event", ["0", "-1", "x", "٣", "9" * 30, ""])
def test_shows_the_film_whatever_the_link_says_of_its_origin(visitor: Client, event: str) -> None:
    film = make_movie("Alien")
    assert visitor.get(f"/film/{film.pk}", {"e": event}).status_code == 200


def test_takes_a_rating_by_plain_form_and_says_so(visitor: Client, house: House) -> None:
    film = house.horror[0]
    response = rate(visitor, film, 3.5)
    assert response.headers["Location"] == f"/film/{film.pk}"
    page = visitor.get(f"/film/{film.pk}").content.decode()
    assert "You gave Fright 0 3.5 stars." in page
    assert "You gave it 3.5 stars" in page


def test_counts_a_double_click_as_one_rating(visitor: Client, house: House) -> None:
    form = uuid.uuid4().hex
    for _ in range(2):
        rate(visitor, house.horror[0], 4, client_id=form)
    assert Feedback.objects.filter(kind="rate").count() == 1


def test_takes_another_star_of_the_same_form_as_another_rating(visitor: Client, house: House) -> None:
    form = uuid.uuid4().hex
    rate(visitor, house.horror[0], 4, client_id=form)
    rate(visitor, house.horror[0], 2, client_id=form)
    assert Rating.objects.get(movie=house.horror[0], user__is_guest=True).value == 2


def test_settles_the_impression_that_led_to_the_page(visitor: Client, house: House) -> None:
    event = shown_event(visitor)
    rate(visitor, event.movie, 4.5, event_id=event.pk)
    event.refresh_from_db()
    assert (event.rating_value, event.outcome) == (4.5, "success")


def test_takes_a_rating_that_names_somebody_elses_impression(visitor: Client, house: House) -> None:
    event = shown_event(visitor)
    other = Client()
    other.get("/about")
    rate(other, event.movie, 4.5, event_id=event.pk)
    event.refresh_from_db()
    assert event.rating_value is None
    assert Feedback.objects.get().event_id is None


KINDS = [
    ("favorite", Favorite, {"is_active": True}),
    ("watchlist", WatchlistItem, {"is_active": True}),
    ("dismiss", Dismissal, {"is_active": True}),
    ("thumbs_up", Thumb, {"direction": 1}),
    ("thumbs_down", Thumb, {"direction": -1}),
]


@pytest.mark.parametrize(("kind", "model", "state"), KINDS)
def test_keeps_what_a_button_says(visitor: Client, kind: str, model: type, state: dict[str, object]) -> None:
    film = make_movie("Alien")
    say(visitor, film, kind=kind)
    assert model.objects.filter(movie=film, **state).exists()
    page = visitor.get(f"/film/{film.pk}").content.decode()
    assert page.count('aria-pressed="true"') == 1


def test_takes_a_rating_back(visitor: Client) -> None:
    film = make_movie("Alien")
    rate(visitor, film, 4)
    say(visitor, film, kind="unrate")
    assert not Rating.objects.standing().exists()


def test_answers_htmx_with_the_panel_alone(visitor: Client) -> None:
    film = make_movie("Alien")
    page = say(visitor, film, htmx_target="own", kind="favorite").content.decode()
    assert "<html" not in page
    assert 'value="unfavorite"' in page
    assert "Alien is one of your favourites." in page


def test_asks_for_stars_when_none_was_chosen(visitor: Client) -> None:
    film = make_movie("Alien")
    say(visitor, film, kind="rate")
    assert "Choose how many stars first." in visitor.get(f"/film/{film.pk}").content.decode()


@pytest.mark.parametrize("value", ["0", "5.5", "4.3", "-1", "1e400", "nan", "inf", "four"])
def test_refuses_what_is_no_rating(visitor: Client, value: str) -> None:
    film = make_movie("Alien")
    assert say(visitor, film, kind="rate", value=value).status_code == 302
    page = visitor.get(f"/film/{film.pk}").content.decode()
    assert "message--error" in page
    assert not Rating.objects.exists()


@pytest.mark.parametrize(
    "fields", [{"kind": "view"}, {"kind": "x"}, {"kind": ""}, {"kind": "favorite", "event_id": "x"}]
)
def test_refuses_what_no_form_of_ours_sends(visitor: Client, fields: dict[str, str]) -> None:
    assert say(visitor, make_movie("Alien"), **fields).status_code == 400


def test_refuses_a_form_without_its_id(visitor: Client) -> None:
    film = make_movie("Alien")
    assert say(visitor, film, kind="favorite", client_id="x" * 100).status_code == 400


def test_says_why_nothing_is_kept_without_cookies(db: None) -> None:
    film = make_movie("Alien")
    bare = Client()
    page = rate(bare, film, 4, next=f"/film/{film.pk}")
    assert page.status_code == 302
    assert not User.objects.exists()


def test_goes_back_to_where_the_form_was(visitor: Client) -> None:
    response = rate(visitor, make_movie("Alien"), 4, next="/search?q=alien")
    assert response.headers["Location"] == "/search?q=alien"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "x"]
)
def test_never_goes_to_another_site(visitor: Client, elsewhere: str) -> None:
    film = make_movie("Alien")
    assert rate(visitor, film, 4, next=elsewhere).headers["Location"] == f"/film/{film.pk}"


def test_refuses_a_form_of_another_site(house: House) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.get("/")
    response = rate(strict, house.horror[0], 4)
    assert response.status_code == 403
    assert "This form is too old" in response.content.decode()


def test_slows_down_who_says_too_much(client: Client, settings: Any) -> None:
    settings.THROTTLE_RATES = {**settings.THROTTLE_RATES, "write": "2/m"}
    client.force_login(make_user())
    film = make_movie("Alien")
    for kind in ("favorite", "watchlist", "thumbs_up"):
        say(client, film, kind=kind)
    assert "Too many changes at once" in client.get(f"/film/{film.pk}").content.decode()
    assert not Thumb.objects.exists()


def known_film() -> Movie:
    film = make_movie(
        "Amélie",
        original_title="Le Fabuleux Destin d'Amélie Poulain",
        year=2001,
        runtime=122,
        language="fr",
        genres=["Comedy", "Romance"],
        overview="A shy waitress helps those around her.",
        imdb_id="tt0211915",
        tmdb_id=194,
        movielens_id=4973,
    )
    people = [
        ("director", "Jean-Pierre Jeunet"),
        ("writer", "Guillaume Laurant"),
        ("writer", "Jean-Pierre Jeunet"),
        ("cast", "Audrey Tautou"),
        ("cast", "<b>Mathieu Kassovitz"),
    ]
    for position, (role, name) in enumerate(people):
        person, _ = Person.objects.get_or_create(name=name)
        MoviePerson.objects.create(movie=film, person=person, role=role, position=position)
    for weight, name in ((1, "<i>paris"), (9, "whimsical")):
        MovieKeyword.objects.create(movie=film, keyword=Keyword.objects.create(name=name), weight=weight)
    return film


def test_tells_who_made_it_and_all_else_that_is_known(visitor: Client) -> None:
    response = visitor.get(f"/film/{known_film().pk}")
    page, text = response.context["page"], response.content.decode()
    assert [(credit.role, list(credit.names)) for credit in page.credits] == [
        ("Director", ["Jean-Pierre Jeunet"]),
        ("Writers", ["Guillaume Laurant", "Jean-Pierre Jeunet"]),
        ("Cast", ["Audrey Tautou", "<b>Mathieu Kassovitz"]),
    ]
    assert page.keywords == ["whimsical", "<i>paris"]
    for fact in (
        "2001 · 2 h 2 min · French",
        "Also known as Le Fabuleux Destin",
        "A shy waitress",
        "whimsical",
    ):
        assert fact in text
    assert "<b>Mathieu" not in text
    assert "<i>paris" not in text


@pytest.mark.parametrize(("minutes", "text"), [(45, "45 min"), (120, "2 h"), (61, "1 h 1 min"), (None, "")])
def test_says_how_long_it_is(visitor: Client, minutes: int | None, text: str) -> None:
    film = make_movie("Alien", runtime=minutes)
    assert visitor.get(f"/film/{film.pk}").context["page"].runtime == text


def test_links_to_the_film_elsewhere_without_saying_where_one_comes_from(visitor: Client) -> None:
    text = visitor.get(f"/film/{known_film().pk}").content.decode()
    for address in (
        "https://www.imdb.com/title/tt0211915/",
        "https://www.themoviedb.org/movie/194",
        "https://movielens.org/movies/4973",
    ):
        assert re.search(rf'<a href="{re.escape(address)}"\s+rel="noreferrer">', text)
    assert "Elsewhere" not in visitor.get(f"/film/{make_movie('Alien').pk}").content.decode()


def test_says_what_it_does_not_know(visitor: Client) -> None:
    text = visitor.get(f"/film/{make_movie('Alien', genres=['Sci-Fi']).pk}").content.decode()
    assert "Neither its plot nor who made it is known here." in text
    assert "Too few people have rated it to say what is like it." in text
    assert 'href="/browse?genre=Sci-Fi"' in text
    assert "rate some films, and it stands here" in text


def test_says_why_each_similar_film_is_there(visitor: Client, house: House) -> None:
    response = visitor.get(f"/film/{house.horror[0].pk}")
    assert {card.reason for card in response.context["page"].similar} == {
        "Liked by people who liked Fright 0"
    }
    assert response.content.decode().count("Liked by people who liked Fright 0") == 6


@pytest.mark.parametrize("n_people", [1, 30])
def test_takes_twelve_queries_at_most_however_many_people(
    client: Client, house: House, settings: Any, n_people: int
) -> None:
    settings.VERSION_TTL_SECONDS = 60.0
    film = house.horror[0]
    for number in range(n_people):
        person = Person.objects.create(name=f"Person {number}")
        MoviePerson.objects.create(movie=film, person=person, role="cast", position=number)
        keyword = Keyword.objects.create(name=f"keyword {number}")
        MovieKeyword.objects.create(movie=film, keyword=keyword)
    viewer = make_user()
    make_rating(viewer, house.horror[1], 5)
    client.force_login(viewer)
    client.get(f"/film/{film.pk}")
    with CaptureQueriesContext(connection) as captured:
        client.get(f"/film/{film.pk}")
    queries = [one["sql"] for one in captured if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(queries) <= 12, queries
