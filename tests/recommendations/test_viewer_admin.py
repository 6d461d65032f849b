"""A viewer in the admin: what they said, what they were shown and why; let out, exported, erased."""

import io
import re
import zipfile
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.core.models import AuditEntry
from apps.events.models import RecommendationEvent, Slate
from tests.callers import Caller, bearer
from tests.factories import make_api_key, make_guest, make_movie, make_rating, make_staff, make_user
from tests.house import House
from tests.rows import make_impression

pytestmark = pytest.mark.django_db

LIST = "/admin/recommendations/viewer/"
VIEW = "recommendations.view_viewer"


def page_of(user: User, page: str = "change") -> str:
    return f"{LIST}{user.pk}/{page}/"


def why(slate: Slate) -> str:
    return f"{LIST}slates/{slate.pk}/"


def staff(client: Client, *permissions: str) -> Client:
    client.force_login(make_staff(username="grace", permissions=permissions))
    return client


def text(client: Client, path: str) -> str:
    """What a person reads: without tags, spaces drawn together."""
    answer = client.get(path)
    assert answer.status_code == 200
    body = answer.content.decode().split('id="content"', 1)[1]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def watch(caller: Caller, house: House) -> dict[str, Any]:
    """A viewer who likes horror, is shown a list and does something of each kind."""
    for film in house.horror[:3]:
        caller.send("PUT", f"/api/v1/ratings/{film.pk}", {"rating": 5})
    slate = caller.send("GET", "/api/v1/movies/recommendations?n=5").json()
    slots = slate["recommendations"]
    for slot, kind in zip(slots, ("click", "favorite", "watchlist", "thumbs_up", "dismiss"), strict=True):
        body = {"item_id": slot["movie_id"], "event_id": slot["event_id"], "event_type": kind}
        assert caller.send("POST", "/api/v1/events", body).status_code == 201
    return dict(slate)


# --- The list --------------------------------------------------------------------------------------


def test_lists_accounts_and_guests_but_nobody_of_a_data_set(client: Client) -> None:
    people = [make_user("ada"), make_guest(username="guest-x")]
    make_user("movielens-1", is_imported=True)
    make_guest(username="guest-y", merged_into=people[0])
    make_rating(people[0])
    found = staff(client, VIEW).get(LIST).context["cl"].result_list
    rows = {row.username: row.n_ratings for row in found}
    assert {"ada": 1, "guest-x": 0}.items() <= rows.items()
    assert not {"movielens-1", "guest-y"} & set(rows)


def test_a_viewer_is_found_by_name_and_by_kind(client: Client) -> None:
    make_user("ada")
    make_guest(username="guest-x")
    grace = staff(client, VIEW)
    assert [row.username for row in grace.get(LIST, {"q": "ad"}).context["cl"].result_list] == ["ada"]
    guests = grace.get(LIST, {"is_guest__exact": "1"}).context["cl"].result_list
    assert [row.username for row in guests] == ["guest-x"]


# --- The page --------------------------------------------------------------------------------------


def test_shows_what_a_viewer_said_was_shown_and_clicked(client: Client, house: House) -> None:
    viewer = make_user("ada")
    slate = watch(bearer(viewer), house)
    page = text(staff(client, VIEW), page_of(viewer))
    assert "Ratings 3" in page
    assert f"{house.horror[0]} 5.0 stars" in page
    first, *_ = slate["recommendations"]
    for slot in slate["recommendations"]:
        movie = Movie.objects.get(pk=slot["movie_id"])
        shown = f"{slot['position']} {movie} {slot['algorithm']} {slot['score']:.4f} {slot['reason']['text']}"
        assert shown in page
    assert f"place {first['position']} of a list, by {first['algorithm']}" in page
    for name in ("Favourites", "Watchlist", "Thumbs", "Not for me"):
        assert name in page


def test_says_of_a_viewer_who_did_nothing_that_there_is_nothing(client: Client) -> None:
    page = text(staff(client, VIEW), page_of(make_user()))
    for sentence in (
        "No list was shown under this viewer's name yet.",
        "No film was rated yet.",
        "Nothing was clicked yet.",
    ):
        assert sentence in page.replace("&#x27;", "'")


def test_titles_and_names_are_escaped(client: Client) -> None:
    viewer = make_user("ada")
    make_rating(viewer, make_movie("<script>alert(1)</script>"))
    body = staff(client, VIEW).get(page_of(viewer)).content.decode()
    assert "<script>alert(1)" not in body
    assert "&lt;script&gt;alert(1)" in body


def test_shows_no_password_key_or_token(client: Client) -> None:
    viewer = make_user("ada")
    tokens = client.post(
        "/api/v1/auth/token",
        {"username": "ada", "password": "an-Unusual-passphrase-41"},
        content_type="application/json",
    ).json()
    key, _ = make_api_key("catalog.write")
    body = staff(client, VIEW).get(page_of(viewer)).content.decode()
    for secret in (viewer.password, tokens["access"], tokens["refresh"], str(viewer.unit_key), key.digest):
        assert secret not in body


@pytest.mark.parametrize("number", [2, 12])
def test_a_page_takes_the_same_queries_for_much_as_for_little(client: Client, number: int) -> None:
    viewer = make_user()
    for _ in range(number):
        make_rating(viewer)
        make_impression(viewer)
    grace = staff(client, VIEW)
    grace.get(page_of(viewer))
    with CaptureQueriesContext(connection) as asked:
        grace.get(page_of(viewer))
    assert len(asked) == 16, "\n".join(query["sql"] for query in asked)


# --- Now ---------------------------------------------------------------------------------------------


def test_says_what_would_be_shown_now_and_logs_nothing(client: Client, house: House) -> None:
    viewer = make_user("ada")
    for film in house.horror[:3]:
        make_rating(viewer, film, 5.0)
    page = text(staff(client, VIEW), page_of(viewer, "now"))
    assert "from 3 films of the viewer's" in page.replace("&#x27;", "'")
    assert "Added to the score" in page
    assert not Slate.objects.exists()


def test_rows_of_the_log_lead_to_their_viewer_and_the_viewer_to_them(admin_client: Client) -> None:
    event = make_impression(make_user("ada"))
    viewer = event.user
    slate = admin_client.get(reverse("admin:events_slate_change", args=[event.slate_id])).content.decode()
    assert f'href="{page_of(viewer)}"' in slate
    assert f'href="{why(event.slate)}"' in slate
    shown = admin_client.get(reverse("admin:events_recommendationevent_change", args=[event.pk]))
    assert f'href="{why(event.slate)}#film-{event.pk}"' in shown.content.decode()
    account = admin_client.get(reverse("admin:accounts_user_change", args=[viewer.pk])).content.decode()
    assert f'href="{page_of(viewer)}"' in account
    page = admin_client.get(page_of(viewer)).content.decode()
    assert f'href="/admin/events/slate/?user__id__exact={viewer.pk}"' in page
    assert f'href="/admin/accounts/user/{viewer.pk}/change/"' in page


# --- Acts ------------------------------------------------------------------------------------------


def switch(client: Client, action: str, *people: User, **form: str) -> Any:
    body = {"action": action, "_selected_action": [user.pk for user in people], **form}
    return client.post(LIST, body, follow=True)


def test_a_viewer_is_let_out_and_in_again_for_a_reason(client: Client) -> None:
    viewer = make_user("ada")
    grace = staff(client, VIEW, "recommendations.change_viewer")
    assert "Deactivate" in text(grace, page_of(viewer))
    assert "It goes into the audit." in switch(grace, "deactivate", viewer).content.decode()
    assert "Viewers deactivated: 1" in switch(grace, "deactivate", viewer, reason="Spam").content.decode()
    assert not User.objects.get(pk=viewer.pk).is_active
    assert "account, deactivated" in text(grace, page_of(viewer))
    switch(grace, "activate", viewer, reason="A mistake")
    assert User.objects.get(pk=viewer.pk).is_active
    entries = AuditEntry.objects.order_by("id").values_list("action", "actor_name", "reason")
    assert list(entries) == [
        ("accounts.deactivate_user", "grace", "Spam"),
        ("accounts.activate_user", "grace", "A mistake"),
    ]


def test_a_colleague_is_let_out_by_a_superuser_alone(client: Client, admin_client: Client) -> None:
    colleague = make_staff(username="linus")
    grace = staff(client, VIEW, "recommendations.change_viewer", "recommendations.delete_viewer")
    page = switch(grace, "deactivate", colleague, reason="x").content.decode()
    assert "linus is a colleague, on whom only a superuser acts" in page
    assert grace.get(page_of(colleague, "delete")).status_code == 403
    assert grace.post(page_of(colleague, "delete"), {"username": "linus"}).status_code == 403
    assert User.objects.get(pk=colleague.pk).is_active
    switch(admin_client, "deactivate", colleague, reason="Left")
    assert not User.objects.get(pk=colleague.pk).is_active


def test_the_export_holds_all_that_is_held_and_is_audited(client: Client, house: House) -> None:
    viewer = make_user("ada")
    watch(bearer(viewer), house)
    grace = staff(client, "recommendations.export_viewer")
    answer = grace.post(page_of(viewer, "export"))
    assert answer.headers["Content-Disposition"] == f'attachment; filename="marquee-viewer-{viewer.pk}.zip"'
    assert "no-store" in answer.headers["Cache-Control"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
        assert b"Fright 0" in files.read("ratings.csv")
    entry = AuditEntry.objects.get(action="accounts.export_user")
    assert (entry.actor_name, entry.target_id) == ("grace", str(viewer.pk))
    assert grace.get(page_of(viewer, "export")).status_code == 405


def test_erasing_takes_the_name_typed(client: Client) -> None:
    viewer = make_user("ada")
    make_impression(viewer)
    grace = staff(client, VIEW, "recommendations.delete_viewer")
    assert "Type ada to confirm" in text(grace, page_of(viewer, "delete"))
    for typed in ("", "Ada", "ada2"):
        page = grace.post(page_of(viewer, "delete"), {"username": typed, "post": "yes"}).content.decode()
        assert ("This is not the name: type ada" in page) or ("This field is required." in page)
        assert User.objects.filter(pk=viewer.pk).exists()
    done = grace.post(page_of(viewer, "delete"), {"username": "ada"}, follow=True)
    assert "All that was held about this person is erased." in done.content.decode()
    assert not User.objects.filter(pk=viewer.pk).exists()
    assert RecommendationEvent.objects.get().user is None
    entry = AuditEntry.objects.get(action="accounts.erase_user")
    assert (entry.actor_name, entry.target_id) == ("grace", str(viewer.pk))


def test_nobody_is_erased_by_an_action_on_several(admin_client: Client) -> None:
    viewer = make_user("ada")
    switch(admin_client, "delete_selected", viewer, post="yes")
    assert User.objects.filter(pk=viewer.pk).exists()


@pytest.mark.parametrize(
    ("permission", "offered"),
    [
        (VIEW, []),
        ("recommendations.change_viewer", ["Deactivate"]),
        ("recommendations.export_viewer", ["Export all that is held"]),
        ("recommendations.delete_viewer", ["Erase…"]),
    ],
)
def test_a_page_offers_what_this_member_of_staff_may_do(
    client: Client, permission: str, offered: list[str]
) -> None:
    page = text(staff(client, VIEW, permission), page_of(make_user()))
    acts = ("Deactivate", "Export all that is held", "Erase…")
    assert [act for act in acts if act in page] == offered


def test_only_who_may_change_viewers_switches_them(client: Client) -> None:
    viewer = make_user()
    switch(staff(client, VIEW), "deactivate", viewer, reason="x")
    assert User.objects.get(pk=viewer.pk).is_active
