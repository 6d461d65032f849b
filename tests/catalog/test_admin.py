import pytest
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Genre, Keyword, Movie, Person
from apps.core.models import AuditEntry
from tests.factories import make_movie, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(make_staff(username="boss", is_superuser=True))
    return client


def form_of(movie: Movie, **changes: object) -> dict[str, object]:
    names = ("title", "original_title", "overview", "language", "poster_path")
    inlines = {
        f"{prefix}-{name}": 0
        for prefix in ("movieperson_set", "moviekeyword_set")
        for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    genres = list(movie.genres.values_list("pk", flat=True))
    values = {name: getattr(movie, name) for name in names} | {"is_available": "on", "genre_choice": genres}
    return values | inlines | changes


def test_shows_every_page(boss: Client) -> None:
    rows = {
        "movie": make_movie(genres=["Crime"]),
        "genre": Genre.objects.get(),
        "person": Person.objects.create(name="Michael Mann"),
        "keyword": Keyword.objects.create(name="heist"),
    }
    for name, row in rows.items():
        for page in ("changelist", "add"):
            assert boss.get(reverse(f"admin:catalog_{name}_{page}")).status_code == 200
        assert boss.get(reverse(f"admin:catalog_{name}_change", args=[row.pk])).status_code == 200


def test_the_list_takes_as_many_queries_for_many_films_as_for_one(
    boss: Client, django_assert_max_num_queries
) -> None:
    make_movie(genres=["Crime"])
    boss.get(reverse("admin:catalog_movie_changelist"))
    for _ in range(15):
        make_movie(genres=["Drama"])
    with django_assert_max_num_queries(10):
        assert boss.get(reverse("admin:catalog_movie_changelist")).status_code == 200


def test_the_search_is_that_of_the_site(boss: Client) -> None:
    make_movie("Amelie", original_title="Le Fabuleux destin d'Amélie Poulain")
    make_movie("Heat")
    page = boss.get(reverse("admin:catalog_movie_changelist"), {"q": "AMÉLIE poul"})
    assert [movie.title for movie in page.context["cl"].result_list] == ["Amelie"]


def test_a_change_goes_through_the_service(boss: Client) -> None:
    movie = make_movie("Heet", genres=["Crime"])
    genres = [Genre.objects.create(name="Drama").pk, *movie.genres.values_list("pk", flat=True)]
    url = reverse("admin:catalog_movie_change", args=[movie.pk])
    assert boss.post(url, form_of(movie, title="Heat", genre_choice=genres)).status_code == 302
    movie = Movie.objects.get()
    assert (movie.title, movie.search_title, movie.genre_names) == ("Heat", "| heat |", ["Crime", "Drama"])
    assert AuditEntry.objects.get(action="catalog.update_movie").actor_name == "boss"


def test_a_film_is_added(boss: Client) -> None:
    url = reverse("admin:catalog_movie_add")
    values = form_of(make_movie("Model"), title="Heat", year="1995", genre_choice=[])
    assert boss.post(url, values).status_code == 302
    assert Movie.objects.get(title="Heat").search_title == " 1995 | heat |"


def test_an_external_id_of_another_film_is_an_error_of_the_form(boss: Client) -> None:
    make_movie(tmdb_id=949)
    movie = make_movie()
    url = reverse("admin:catalog_movie_change", args=[movie.pk])
    page = boss.post(url, form_of(movie, tmdb_id="949"))
    assert page.context["adminform"].form.errors == {"tmdb_id": ["Movie with this Tmdb id already exists."]}


def test_films_are_hidden_and_shown_again_with_an_audit(boss: Client) -> None:
    movie = make_movie()
    url = reverse("admin:catalog_movie_changelist")
    for action, is_available in (("hide", False), ("show", True)):
        boss.post(url, {"action": action, "_selected_action": [movie.pk]})
        assert Movie.objects.get().is_available is is_available
    assert AuditEntry.objects.filter(action="catalog.update_movie").count() == 2


def test_nobody_deletes_a_film(boss: Client) -> None:
    movie = make_movie()
    assert boss.post(reverse("admin:catalog_movie_delete", args=[movie.pk])).status_code == 403
    page = boss.get(reverse("admin:catalog_movie_changelist"))
    assert "delete_selected" not in dict(page.context["action_form"].fields["action"].choices)


def test_a_renamed_genre_is_audited(boss: Client) -> None:
    genre = Genre.objects.create(name="Scifi")
    boss.post(reverse("admin:catalog_genre_change", args=[genre.pk]), {"name": "Sci-Fi"})
    entry = AuditEntry.objects.get(action="catalog.update_genre")
    assert (entry.before, entry.after) == ({"name": "Scifi"}, {"name": "Sci-Fi"})
