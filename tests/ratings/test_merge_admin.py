"""Merging in the admin: two films are chosen, what would move is shown, then it moves."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Movie
from apps.ratings.merging import merge_movies
from apps.ratings.models import MovieMerge, Rating
from tests.callers import bearer
from tests.factories import make_movie, make_rating, make_staff

pytestmark = pytest.mark.django_db

ADD = "/admin/ratings/moviemerge/add/"
LIST = "/admin/ratings/moviemerge/"
PERMISSIONS = ("ratings.add_moviemerge", "ratings.view_moviemerge", "catalog.change_movie")


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(make_staff(username="grace", permissions=[*PERMISSIONS, "catalog.view_movie"]))
    return client


def form(duplicate: Movie, kept: Movie, **more: Any) -> dict[str, Any]:
    return {"duplicate": duplicate.pk, "kept": kept.pk, "reason": "The same film", **more}


def said(response: HttpResponse) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_the_first_step_shows_what_would_move_and_moves_nothing(editor: Client) -> None:
    duplicate, kept = make_movie("Heet", tmdb_id=949), make_movie("Heat <1995>")
    make_rating(movie=duplicate)
    page = editor.post(ADD, form(duplicate, kept)).content.decode()
    assert f"Heet (film {duplicate.pk}) goes into Heat &lt;1995&gt; (film {kept.pk})" in page
    assert "Lists that showed it stay in the log as they were shown." in page
    assert "949" in page
    assert not MovieMerge.objects.exists()
    assert Movie.objects.get(pk=duplicate.pk).is_available


def test_the_second_step_merges(editor: Client) -> None:
    duplicate, kept = make_movie("Heet"), make_movie("Heat")
    mine = make_rating(movie=duplicate)
    both = make_rating(movie=duplicate)
    make_rating(both.user, kept)
    page = editor.post(ADD, form(duplicate, kept, _merge="1"), follow=True)
    assert page.redirect_chain[-1] == (LIST, 302)
    assert "rating: 1 moved, 1 stood" in page.content.decode()
    assert Rating.objects.get(user=mine.user).movie == kept
    assert Movie.objects.get(pk=duplicate.pk).merged_into == kept


def test_a_merge_needs_a_reason_and_two_films(editor: Client) -> None:
    film = make_movie("Heat")
    page = editor.post(ADD, form(film, film)).content.decode()
    assert "Choose two different films" in page
    for step in ({}, {"_merge": "1"}):
        page = editor.post(ADD, {"duplicate": film.pk, "kept": "", "reason": "", **step}).content.decode()
        assert page.count("This field is required.") == 2
    assert not MovieMerge.objects.exists()


def test_a_film_that_was_hidden_between_the_steps_is_refused(editor: Client) -> None:
    duplicate, kept = make_movie("Heet"), make_movie("Heat", is_available=False)
    page = editor.post(ADD, form(duplicate, kept, _merge="1"))
    assert "Heat is hidden: show it before another film is merged into it" in page.content.decode()


def test_two_films_of_the_list_are_taken_there_the_more_rated_to_be_kept(editor: Client) -> None:
    more, less = make_movie(), make_movie()
    make_rating(movie=more)
    films = reverse("admin:catalog_movie_changelist")
    chosen = {"action": "merge_selected", "_selected_action": [more.pk, less.pk]}
    answer = editor.post(films, chosen)
    assert answer.headers["Location"] == f"{ADD}?duplicate={less.pk}&kept={more.pk}"
    page = editor.get(answer.headers["Location"]).content.decode()
    for film in (more, less):
        assert f'<option value="{film.pk}" selected>' in page
    for number in (1, 3):
        films_chosen = [make_movie().pk for _ in range(number)]
        wrong = editor.post(
            films, {"action": "merge_selected", "_selected_action": films_chosen}, follow=True
        )
        assert said(wrong) == ["Choose two films to merge."]


def test_a_films_page_leads_to_a_merge_and_to_what_is_known_of_it(admin_client: Client) -> None:
    film = make_movie()
    page = admin_client.get(reverse("admin:catalog_movie_change", args=[film.pk])).content.decode()
    assert f'href="{ADD}?duplicate={film.pk}"' in page
    assert f'href="/admin/ratings/rating/?movie__id__exact={film.pk}"' in page
    assert f'href="/admin/events/movieday/?movie__id__exact={film.pk}"' in page


def test_links_lead_only_where_this_member_of_staff_may_go(client: Client) -> None:
    film = make_movie()
    client.force_login(make_staff(permissions=["catalog.view_movie"]))
    page = client.get(reverse("admin:catalog_movie_change", args=[film.pk])).content.decode()
    assert "/admin/ratings/" not in page
    assert "/admin/events/" not in page


@pytest.mark.parametrize("missing", ["ratings.add_moviemerge", "catalog.change_movie"])
def test_merging_takes_both_permissions(client: Client, missing: str) -> None:
    client.force_login(make_staff(permissions=[name for name in PERMISSIONS if name != missing]))
    chosen = form(make_movie(), make_movie())
    assert client.get(ADD).status_code == 403
    assert client.post(ADD, chosen).status_code == 403
    assert client.post(ADD, chosen | {"_merge": "1"}).status_code == 403
    assert not MovieMerge.objects.exists()


def test_merging_is_offered_only_to_who_may(editor: Client) -> None:
    make_movie()
    reader = Client()
    reader.force_login(make_staff(permissions=["catalog.view_movie", "catalog.change_movie"]))
    offers = [
        "Merge the two selected films" in one.get("/admin/catalog/movie/").content.decode()
        for one in (editor, reader)
    ]
    assert offers == [True, False]


def test_a_merge_is_neither_changed_nor_undone_here(admin_client: Client) -> None:
    merge = merge_movies(duplicate=make_movie(), kept=make_movie(), reason="", by=None)
    change = reverse("admin:ratings_moviemerge_change", args=[merge.pk])
    assert admin_client.get(change).status_code == 200
    assert admin_client.post(change, {"reason": "x"}).status_code == 403
    assert admin_client.post(reverse("admin:ratings_moviemerge_delete", args=[merge.pk])).status_code == 403


def test_the_address_of_a_merged_film_leads_to_the_kept_one(client: Client) -> None:
    duplicate, kept = make_movie("Heet"), make_movie("Heat")
    merge_movies(duplicate=duplicate, kept=kept, reason="", by=None)
    answer = client.get(f"/film/{duplicate.pk}")
    assert (answer.status_code, answer.headers["Location"]) == (301, f"/film/{kept.pk}")
    assert client.get(answer.headers["Location"]).status_code == 200
    problem = client.get(f"/api/v1/movies/{duplicate.pk}")
    assert (problem.status_code, problem.json()["detail"]) == (
        404,
        f"There is no film {duplicate.pk}: it was merged into film {kept.pk}",
    )


def test_a_program_does_not_show_a_merged_film_again() -> None:
    duplicate, kept = make_movie("Heet"), make_movie("Heat")
    merge_movies(duplicate=duplicate, kept=kept, reason="", by=None)
    program = bearer(make_staff(permissions=["catalog.change_movie"]))
    answer = program.send("PATCH", f"/api/v1/movies/{duplicate.pk}", {"is_available": True})
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        f"Heet was merged into film {kept.pk}, so it stays hidden",
    )
