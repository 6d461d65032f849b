"""Text that somebody stored, shown again: every page writes it as text."""

from collections.abc import Callable

import pytest
from django.contrib import admin
from django.urls import NoReverseMatch, reverse

from apps.accounts.models import User
from apps.catalog.models import Keyword, Movie, Person
from apps.ratings.services import set_rating
from tests.callers import Caller, signed_in
from tests.factories import make_movie, make_user
from tests.house import make_house
from tests.permissions.cast import Cast
from tests.permissions.tables import PAGES
from tests.rows import make_row

pytestmark = pytest.mark.django_db

HOSTILE = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{ 7|add:35 }}"
RAW = (b"<img src=x", b"<script>alert", b"\"'>")


def is_clean(body: bytes) -> bool:
    return not any(raw in body for raw in RAW)


def root() -> Caller:
    """A superuser with a name that is none: no form takes it, a database may hold it all the same."""
    user = make_user(is_staff=True, is_superuser=True)
    User.objects.filter(pk=user.pk).update(username=HOSTILE, email=f"a@example.org{HOSTILE}")
    return signed_in(User.objects.get(pk=user.pk))


def make_hostile_film() -> Movie:
    film = make_movie(f"Film {HOSTILE}"[:190], year=1999, genres=[f"Drama{HOSTILE}"[:60]])
    Movie.objects.filter(pk=film.pk).update(overview=HOSTILE, original_title=HOSTILE)
    film.keywords.add(Keyword.objects.create(name=HOSTILE[:90]))
    Person.objects.create(name=HOSTILE)
    return film


def test_no_page_writes_stored_text_as_markup() -> None:
    caller, film, cast = root(), make_hostile_film(), Cast()
    cast.movie = film
    for route, methods in PAGES.items():
        if "GET" in methods:
            response = caller.browser.get(cast.path(route, 0))
            assert is_clean(response.content), f"/{route}"
    assert b"&lt;script&gt;alert(2)" in caller.browser.get(f"/film/{film.pk}").content
    for query in (f"/search?q={HOSTILE}", "/search?q=Film"):
        assert is_clean(caller.browser.get(query).content)


def test_no_reason_writes_a_title_as_markup() -> None:
    house = make_house()
    Movie.objects.update(title=f"Fright {HOSTILE}"[:190])
    caller = root()
    for film in house.horror[:6]:
        set_rating(user=caller.user, movie=film, value=5.0, at=film.created_at)
    page = caller.browser.get("/").content
    assert b"Because you liked" in page
    assert is_clean(page)
    assert is_clean(caller.browser.get(f"/film/{house.horror[7].pk}").content)


def test_no_page_of_the_admin_writes_stored_text_as_markup() -> None:
    caller, film = root(), make_hostile_film()
    for model in admin.site._registry:
        row = film if model is Movie else make_row(model)
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for page in _pages(name, row.pk):
            response = caller.browser.get(page)
            assert is_clean(response.content), page


def _pages(name: str, pk: object) -> list[str]:
    """List, row and history, as far as the table has them."""
    makers: list[Callable[[], str]] = [
        lambda: reverse(f"{name}_changelist"),
        lambda: reverse(f"{name}_changelist") + f"?q={HOSTILE}",
        lambda: reverse(f"{name}_change", args=[pk]),
        lambda: reverse(f"{name}_history", args=[pk]),
    ]
    found = []
    for make in makers:
        try:
            found.append(make())
        except NoReverseMatch:
            continue
    return found
