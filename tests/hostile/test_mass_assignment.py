"""Columns that nobody may set by sending them: with a body that would do, each is refused by name."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from drf_spectacular.generators import SchemaGenerator

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.core.api.problems import MAX_ERRORS
from apps.core.importing.batches import batches
from apps.events.models import Feedback
from apps.ratings.models import Import, Rating
from tests.callers import Caller, bearer, guest, signed_in, undone
from tests.factories import PASSWORD, make_movie, make_staff, make_user
from tests.permissions.cast import RATINGS, Cast
from tests.permissions.tables import API
from tests.permissions.test_api import properties

pytestmark = pytest.mark.django_db

FILE = "POST", "me/import"


def takes_a_body(method: str, route: str) -> bool:
    """What takes something off a list is told by its address alone."""
    return method in {"POST", "PUT", "PATCH"} or (method, route) == ("DELETE", "me")


def columns() -> set[str]:
    """Every column and relation of our tables that a request could reach for."""
    ours = [model for model in apps.get_models() if model.__module__.startswith("apps.")]
    fields = [field for model in ours for field in model._meta.local_fields]
    return {"pk", "groups", "user_permissions"} | {
        name for field in fields for name in (field.name, field.attname)
    }


def fields_of(schema: dict[str, Any], method: str, route: str) -> set[str]:
    """What the document says that the address takes; a member of a batch is not meant."""
    operation = schema["paths"]["/api/v1/" + re.sub(r"<id:(\w+)>", r"{\1}", route)][method.lower()]
    return properties(schema, operation.get("requestBody", {}).get("content", {}))


def test_no_address_takes_a_column_that_it_does_not_name() -> None:
    cast, schema = Cast(), SchemaGenerator().get_schema(public=True)
    permissions = ["catalog.add_movie", "catalog.change_movie", "accounts.act_for_users"]
    permissions += ["training.add_trainingrun"]
    keeper = bearer(make_staff(permissions=permissions))
    for method, route in sorted(API):
        if not takes_a_body(method, route) or (method, route) == FILE:
            continue
        unnamed = columns() - fields_of(schema, method, route)
        assert {"is_staff", "is_superuser", "unit_key", "merged_into"} <= unnamed
        path, body = cast.path(f"api/v1/{route}", keeper.user.pk), cast.body(method, route)
        # An answer names fifty faults at most, and those below auth/ find a few more.
        for some in batches(sorted(unnamed - set(body)), MAX_ERRORS - 10):
            with undone():
                answer = keeper.send(method, path, body | dict.fromkeys(some, 1))
            assert answer.status_code == 400, f"{method} {route}: {answer.status_code}"
            refused = {error["pointer"].removeprefix("/") for error in answer.json()["errors"]}
            assert refused >= set(some), f"{method} {route} does not refuse {set(some) - refused}"


def test_what_is_refused_with_a_column_would_do_without() -> None:
    """The bodies above are good ones, but for those below auth/: what is refused is the column."""
    cast = Cast()
    permissions = ["catalog.add_movie", "catalog.change_movie", "accounts.act_for_users"]
    permissions += ["training.add_trainingrun"]
    keeper = bearer(make_staff(permissions=permissions))
    for method, route in sorted(API):
        if takes_a_body(method, route) and (method, route) != FILE and not route.startswith("auth/"):
            with undone():
                answer = cast.ask(keeper, method, route)
            assert answer.status_code != 400, f"{method} {route}: {answer.content!r}"


def test_a_file_comes_with_nothing_but_itself() -> None:
    make_movie("Alien", year=1979)
    viewer, other = bearer(make_user()), make_user()
    for name in ("user", "user_id", "status", "rule", "n_new"):
        form = {"file": upload(), name: str(other.pk)}
        answer = viewer.browser.post("/api/v1/me/import", form, headers=viewer.headers)
        assert answer.status_code == 400
        assert answer.json()["detail"] == f"There is no field '{name}' here; there are: file"
    page = signed_in(viewer.user)
    posed = {"user": other.pk, "user_id": other.pk, "status": "applied", "rule": "viewer"}
    answer = page.browser.post("/settings/import", {"file": upload()} | posed, headers=page.headers)
    assert answer.status_code == 302
    assert Import.objects.values_list("user", "status", "rule").get() == (viewer.user.pk, "previewed", "")


def upload() -> SimpleUploadedFile:
    return SimpleUploadedFile("ratings.csv", RATINGS)


def test_the_page_to_sign_up_makes_a_plain_account_whatever_is_sent() -> None:
    plain = signed_up("ada", {})
    names = {field.attname for field in User._meta.local_fields} | {"groups", "user_permissions", "pk"}
    sent = dict.fromkeys(names - {"username", "password", "email"}, "1")
    hostile = signed_up("eve", sent)
    differ = {"id", "username", "email", "password", "unit_key", "date_joined", "last_login"}
    for field in User._meta.local_fields:
        if field.attname not in differ:
            assert getattr(hostile, field.attname) == getattr(plain, field.attname), field.attname
    assert not hostile.groups.exists()
    assert not hostile.user_permissions.exists()


def signed_up(name: str, sent: dict[str, str]) -> User:
    browser = guest()
    form = sent | {"username": name, "password": PASSWORD, "email": f"{name}@example.org"}
    assert browser.browser.post("/sign-up", form, headers=browser.headers).status_code == 302
    return User.objects.get(username=name)


def test_a_form_about_a_film_sets_what_it_shows_and_no_more() -> None:
    film, visitor = make_movie("Alien", year=1979), guest()
    before = Movie.objects.values().get(pk=film.pk)
    sent = dict.fromkeys(columns() - {"kind", "value", "event_id", "client_id"}, "7")
    said = sent | {"kind": "rate", "value": "2", "client_id": "0" * 32}
    answer = visitor.browser.post(f"/film/{film.pk}/feedback", said, headers=visitor.headers)
    assert answer.status_code == 302
    kept, said_at = Rating.objects.get(), Feedback.objects.get().received_at
    assert (kept.value, kept.user.is_guest, kept.user.is_staff) == (2, True, False)
    assert abs((kept.changed_at - said_at).total_seconds()) < 60
    counted = {"rating_sum": 2.0, "rating_count": 1}
    after = Movie.objects.values().get(pk=film.pk)
    assert {name for name in before if before[name] != after[name]} == set(counted)
    assert {name: after[name] for name in counted} == counted


def test_a_program_that_keeps_films_sets_no_count_of_theirs() -> None:
    keeper: Caller = bearer(make_staff(permissions=["catalog.change_movie"]))
    film = make_movie("Alien", year=1979)
    for column in ("rating_sum", "rating_count", "is_long_tail", "is_niche", "search_title", "created_at"):
        answer = keeper.send("PATCH", f"/api/v1/movies/{film.pk}", {column: 5})
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith(f"There is no field '{column}' here; there are: ")
