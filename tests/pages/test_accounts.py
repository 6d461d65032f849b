"""Sign-up, log-in, log-out and a new password, by the forms of the site."""

import re

import pytest
from django.core import mail
from django.test import Client

from apps.accounts.models import User
from apps.ratings.models import Rating
from tests.factories import PASSWORD, make_movie, make_user
from tests.pages.conftest import rate

pytestmark = pytest.mark.django_db

NEW = {"username": "ada", "password": PASSWORD, "email": ""}


def is_logged_in(client: Client, name: str) -> bool:
    return f'<span class="top__name">{name}</span>' in client.get("/about").content.decode()


def test_signs_up_and_logs_in(visitor: Client) -> None:
    response = visitor.post("/sign-up", NEW)
    assert response.headers["Location"] == "/welcome"
    assert is_logged_in(visitor, "ada")


def test_keeps_what_a_guest_rated_before_signing_up(visitor: Client) -> None:
    rate(visitor, make_movie("Alien"), 4)
    guest = User.objects.get(is_guest=True)
    visitor.post("/sign-up", NEW)
    ada = User.objects.get(username="ada")
    assert (ada.pk, ada.is_guest) == (guest.pk, False)
    assert Rating.objects.of(ada.pk).count() == 1


def test_sends_who_has_rated_ten_films_home(visitor: Client) -> None:
    for _ in range(10):
        rate(visitor, make_movie(), 4)
    assert visitor.post("/sign-up", NEW).headers["Location"] == "/"


REFUSALS = [
    ({"password": "password"}, "This password is too common."),
    ({"username": "guest-1"}, "A username cannot begin with guest-"),
    ({"username": "Taken"}, "The username &#x27;Taken&#x27; is taken"),
    ({"email": "nowhere"}, "Enter a valid email address."),
    ({"username": ""}, "This field is required."),
]


@pytest.mark.parametrize(("change", "refusal"), REFUSALS)
def test_says_beside_the_field_what_is_wrong(visitor: Client, change: dict[str, str], refusal: str) -> None:
    make_user("taken")
    page = visitor.post("/sign-up", NEW | change).content.decode()
    assert re.search(
        f'class="field__error" id="id_{next(iter(change))}_error">\\s*{re.escape(refusal)}', page
    )
    assert User.objects.count() == 1


def test_never_sends_a_password_back(visitor: Client) -> None:
    page = visitor.post("/sign-up", NEW | {"username": ""}).content.decode()
    assert PASSWORD not in page


def test_logs_in_and_out(visitor: Client) -> None:
    make_user("ada")
    assert visitor.post("/log-in", {"username": "ADA", "password": PASSWORD}).status_code == 302
    assert is_logged_in(visitor, "ada")
    visitor.post("/log-out")
    assert not is_logged_in(visitor, "ada")


def test_refuses_a_wrong_password(visitor: Client) -> None:
    make_user("ada")
    page = visitor.post("/log-in", {"username": "ada", "password": "wrong"}).content.decode()
    assert "The username or the password is wrong" in page
    assert not is_logged_in(visitor, "ada")


def test_merges_the_guest_at_log_in(visitor: Client) -> None:
    ada = make_user("ada")
    rate(visitor, make_movie("Alien"), 4)
    visitor.post("/log-in", {"username": "ada", "password": PASSWORD})
    assert Rating.objects.of(ada.pk).standing().count() == 1


def test_does_not_log_out_by_a_link(client: Client) -> None:
    client.force_login(make_user("ada"))
    assert client.get("/log-out").status_code == 405
    assert is_logged_in(client, "ada")


@pytest.mark.parametrize(("wanted", "path"), [("/my-films", "/my-films"), ("//evil.example", "/")])
def test_goes_on_to_where_one_wanted(visitor: Client, wanted: str, path: str) -> None:
    make_user("ada")
    body = {"username": "ada", "password": PASSWORD, "next": wanted}
    assert visitor.post("/log-in", body).headers["Location"] == path


def test_carries_along_where_one_wanted(visitor: Client) -> None:
    page = visitor.get("/log-in?next=/my-films").content.decode()
    assert '<input type="hidden" name="next" value="/my-films">' in page


def reset_link() -> str:
    found = re.search(r"http://testserver(/password/reset/\S+)", str(mail.outbox[0].body))
    assert found
    return found[1]


def test_sets_a_new_password_by_mail(visitor: Client) -> None:
    make_user("ada", email="ada@example.org")
    assert visitor.post("/password/reset/", {"email": "ada@example.org"}).status_code == 302
    link = reset_link()
    assert "Set a new password" in visitor.get(link).content.decode()
    response = visitor.post(link, {"password": "a-Different-one-77"})
    assert response.headers["Location"] == "/log-in"
    visitor.post("/log-in", {"username": "ada", "password": "a-Different-one-77"})
    assert is_logged_in(visitor, "ada")


def test_says_the_same_for_an_address_without_account(visitor: Client) -> None:
    response = visitor.post("/password/reset/", {"email": "nobody@example.org"})
    assert response.headers["Location"] == "/password/reset/sent/"
    assert not mail.outbox


def test_sends_a_used_link_back_to_the_start(visitor: Client) -> None:
    make_user("ada", email="ada@example.org")
    visitor.post("/password/reset/", {"email": "ada@example.org"})
    visitor.post(reset_link(), {"password": "a-Different-one-77"})
    page = visitor.get(reset_link(), follow=True)
    assert page.redirect_chain[0][0] == "/password/reset/"
    assert "This link is not valid any more" in page.content.decode()
    refused = visitor.post(reset_link(), {"password": "yet-Another-one-78"}).content.decode()
    assert "This link is not valid any more" in refused


def test_slows_down_who_guesses(visitor: Client) -> None:
    make_user("ada")
    for _ in range(6):
        page = visitor.post("/log-in", {"username": "ada", "password": "wrong"}).content.decode()
    assert "Too many attempts to log in with this name" in page
