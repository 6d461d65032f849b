import html
import re

import pytest
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Genre, Keyword, Movie, MoviePerson, Person
from apps.core.admin import asking
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
    assert page.context["adminform"].form.errors == {"tmdb_id": ["Film with this TMDB id already exists."]}


def test_films_are_hidden_and_shown_again_for_a_reason_that_the_audit_keeps(boss: Client) -> None:
    movie = make_movie("Heat")
    url = reverse("admin:catalog_movie_changelist")
    for action, is_available in (("hide", False), ("show", True)):
        chosen = {"action": action, "_selected_action": [movie.pk]}
        asked = boss.post(url, chosen)
        assert "It goes into the audit." in asked.content.decode()
        assert "<li>Heat</li>" in asked.content.decode()
        assert Movie.objects.get().is_available is not is_available
        done = boss.post(url, chosen | {"reason": f"to {action} it"}, follow=True)
        assert f"Films {'shown again' if is_available else 'hidden'}: 1" in done.content.decode()
        assert Movie.objects.get().is_available is is_available
        entry = AuditEntry.objects.filter(action="catalog.update_movie").latest("id")
        assert (entry.reason, entry.after) == (f"to {action} it", {"is_available": is_available})


def fields_of(page: str, action: str) -> dict[str, str]:
    """What the form with this action would send."""
    form = next(part for part in page.split("<form")[1:] if f'name="action" value="{action}"' in part)
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.partition("</form>")[0]))


def test_hiding_is_undone_by_one_button_even_where_a_filter_left_the_film_out(boss: Client) -> None:
    movie = make_movie("Heat")
    url = reverse("admin:catalog_movie_changelist")
    chosen = {"action": "hide", "_selected_action": [movie.pk], "reason": "No rights <any more>"}
    page = boss.post(f"{url}?shown=yes", chosen, follow=True).content.decode()
    assert f'<form method="post" action="{url}" class="admin-undo">' in page
    undo = fields_of(page, "show")
    assert html.unescape(undo["reason"]) == "Undone: No rights <any more>"
    done = boss.post(url, {name: html.unescape(value) for name, value in undo.items()}, follow=True)
    assert "Films shown again: 1" in done.content.decode()
    assert Movie.objects.get().is_available
    assert AuditEntry.objects.latest("id").reason == "Undone: No rights <any more>"


def test_a_films_page_offers_the_act_that_changes_something(boss: Client) -> None:
    kept = make_movie("Heat")
    hidden, merged = make_movie(is_available=False), make_movie(is_available=False)
    Movie.objects.filter(pk=merged.pk).update(merged_into=kept)
    texts = ("Hide this film everywhere", "Show this film again")
    for movie, offered in ((kept, [True, False]), (hidden, [False, True]), (merged, [False, False])):
        page = boss.get(reverse("admin:catalog_movie_change", args=[movie.pk])).content.decode()
        assert [text in page for text in texts] == offered


def test_a_blank_reason_hides_nothing(boss: Client) -> None:
    movie = make_movie()
    form = {"action": "hide", "_selected_action": [movie.pk], "reason": " "}
    page = boss.post(reverse("admin:catalog_movie_changelist"), form)
    assert "This field is required." in page.content.decode()
    assert Movie.objects.get().is_available


def test_what_is_hidden_already_is_not_hidden_again(boss: Client) -> None:
    movie = make_movie(is_available=False)
    form = {"action": "hide", "_selected_action": [movie.pk]}
    page = boss.post(reverse("admin:catalog_movie_changelist"), form, follow=True)
    assert "There is nothing to change about what was chosen." in page.content.decode()


def test_too_many_films_at_once_are_refused(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST_ROWS", 1)
    form = {"action": "hide", "_selected_action": [make_movie().pk, make_movie().pk], "reason": "x"}
    page = boss.post(reverse("admin:catalog_movie_changelist"), form, follow=True)
    assert "Choose at most 1 rows at a time." in page.content.decode()
    assert Movie.objects.available().count() == 2


def test_the_form_hides_a_film_only_for_a_reason(boss: Client) -> None:
    movie = make_movie()
    url = reverse("admin:catalog_movie_change", args=[movie.pk])
    hidden = {name: value for name, value in form_of(movie).items() if name != "is_available"}
    assert "Say why the film is hidden or shown again." in boss.post(url, hidden).content.decode()
    assert boss.post(url, hidden | {"reason": "A mistake"}).status_code == 302
    assert not Movie.objects.get().is_available
    assert AuditEntry.objects.get(action="catalog.update_movie").reason == "A mistake"


def test_a_merged_film_is_not_shown_again(boss: Client) -> None:
    kept = make_movie("Heat")
    gone = make_movie("Heat again", is_available=False)
    Movie.objects.filter(pk=gone.pk).update(merged_into=kept)
    sentence = f"It was merged into film {kept.pk}, so it stays hidden."
    url = reverse("admin:catalog_movie_change", args=[gone.pk])
    assert sentence in boss.post(url, form_of(gone, reason="x")).content.decode()
    form = {"action": "show", "_selected_action": [gone.pk], "reason": "x"}
    page = boss.post(reverse("admin:catalog_movie_changelist"), form, follow=True).content.decode()
    assert f"Heat again was merged into film {kept.pk}, so it stays hidden" in page
    assert not Movie.objects.get(pk=gone.pk).is_available
    assert ">Heat</a>" in boss.get(url).content.decode()


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({"shown": "yes"}, ["Bare", "Full"]),
        ({"shown": "no"}, ["Hidden"]),
        ({"shown": "merged"}, ["Merged"]),
        ({"lacks": "overview"}, ["Bare", "Hidden", "Merged"]),
        ({"lacks": "genre", "shown": "yes"}, ["Bare"]),
        ({"lacks": "nonsense"}, ["Bare", "Full", "Hidden", "Merged"]),
    ],
)
def test_films_are_found_by_what_they_are_and_what_they_lack(
    boss: Client, query: dict[str, str], titles: list[str]
) -> None:
    full = make_movie("Full", overview="A film.", genres=["Crime"])
    make_movie("Bare")
    make_movie("Hidden", is_available=False)
    Movie.objects.filter(pk=make_movie("Merged", is_available=False).pk).update(merged_into=full)
    page = boss.get(reverse("admin:catalog_movie_changelist"), query)
    assert sorted(movie.title for movie in page.context["cl"].result_list) == titles


def test_films_are_found_by_a_person_chosen_by_autocompletion(boss: Client) -> None:
    person = Person.objects.create(name="Michael Mann")
    MoviePerson.objects.create(movie=make_movie("Heat"), person=person, role="director")
    make_movie("Alien")
    query = {"app_label": "catalog", "model_name": "movie", "field_name": "people", "term": "mann"}
    offered = boss.get("/admin/autocomplete/", query).json()["results"]
    assert offered == [{"id": str(person.pk), "text": "Michael Mann"}]
    page = boss.get(reverse("admin:catalog_movie_changelist"), {"people__id__exact": person.pk})
    assert [movie.title for movie in page.context["cl"].result_list] == ["Heat"]
    assert "1" in boss.get(reverse("admin:catalog_person_changelist")).content.decode()
    assert (
        f"people__id__exact={person.pk}"
        in boss.get(reverse("admin:catalog_person_change", args=[person.pk])).content.decode()
    )


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
