"""A viewer in the admin: what they said, what they were shown and why; let out, exported, erased."""

import io
import re
import zipfile
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from scipy.special import betaincinv

from apps.accounts.models import User
from apps.bandits.services import freeze
from apps.catalog.models import Movie
from apps.core.models import AuditEntry
from apps.events.models import RecommendationEvent, Slate
from apps.training import registry
from apps.training.models import ModelVersion
from apps.training.services import train
from tests.callers import Caller, bearer
from tests.factories import make_api_key, make_guest, make_movie, make_rating, make_staff, make_user
from tests.house import House
from tests.recommendations.test_recommend import ask, serve
from tests.rows import make_impression

pytestmark = pytest.mark.django_db

LIST = "/admin/recommendations/viewer/"
VIEW = "recommendations.view_viewer"
BANDIT = {"policy": "bandit", "arms": ["svd", "als", "item_cf", "popular"], "slots": 3, "diversity": 0.5}


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


# --- Why -------------------------------------------------------------------------------------------


def test_says_of_each_film_which_of_the_viewers_led_to_it(client: Client, house: House) -> None:
    viewer = make_user("ada")
    watch(bearer(viewer), house)
    slate = Slate.objects.get(user=viewer)
    page = text(staff(client, VIEW), why(slate))
    assert "3 films that the arms were told of" in page
    event = RecommendationEvent.objects.filter(slate=slate).earliest("position")
    assert f"1. {event.movie} Arm {event.algorithm} Score {event.recommendation_score:.4f}" in page
    assert f"Reason {event.reason['text']}" in page
    assert re.search(r"Fright [012] 5\.0 -?\d\.\d{4}", page)
    assert "the live version" not in page


def test_the_version_that_made_a_list_explains_it_when_it_serves_no_more(
    client: Client, house: House
) -> None:
    serve({"policy": "fixed", "arms": {"hybrid": 1.0}, "diversity": 0.5})
    watch(bearer(make_user("ada")), house)
    grace, path = staff(client, VIEW), why(Slate.objects.get())
    before = text(grace, path)
    make_rating(make_user("bob"), house.comedy[0], 5.0)
    made = train(recipe="standard", trigger="test")
    assert made is not None
    assert made.name != Slate.objects.get().model_version
    assert text(grace, path) == before
    assert before.count("Chosen by relevance") == 5


@pytest.mark.parametrize("damage", ["removed", "refused"])
def test_says_when_the_live_version_works_it_out(client: Client, house: House, damage: str) -> None:
    watch(bearer(make_user("ada")), house)
    made = ModelVersion.objects.get()
    live = train(recipe="standard", trigger="test")
    assert live is not None
    if damage == "removed":
        ModelVersion.objects.filter(pk=made.pk).update(artifact="")
        said = f"The files of version {made.name} were removed: the slate cannot be made again."
    else:
        ModelVersion.objects.filter(pk=made.pk).update(manifest_sha256="0" * 64)
        said = f"Version {made.name} cannot be loaded ("
    page = text(staff(client, VIEW), why(Slate.objects.get()))
    assert said in page
    assert f"What led to the films is worked out by {live.name}, the live version" in page
    assert re.search(r"Fright [012] 5\.0 -?\d\.\d{4}", page)
    assert "Place in" not in page


@pytest.mark.parametrize("number", [2, 10])
def test_explaining_takes_the_same_queries_for_a_long_list(
    client: Client, house: House, settings: Any, number: int
) -> None:
    settings.VERSION_TTL_SECONDS = 600.0
    caller = bearer(make_user("ada"))
    assert caller.send("GET", f"/api/v1/movies/recommendations?n={number}").status_code == 200
    train(recipe="standard", trigger="test")
    registry.reset()
    grace, path = staff(client, VIEW), why(Slate.objects.get())
    grace.get(path)
    with CaptureQueriesContext(connection) as asked:
        grace.get(path)
    assert len(asked) == 10, "\n".join(query["sql"] for query in asked)


def test_without_a_model_the_arms_and_reasons_still_stand(client: Client, house: House) -> None:
    viewer = make_user("ada")
    watch(bearer(viewer), house)
    registry.reset()
    Slate.objects.update(recipe="gone")
    page = text(staff(client, VIEW), why(Slate.objects.get()))
    assert "The arm does not look at the viewer, or knew no film of theirs." in page


def test_what_is_not_there_is_not_found(client: Client) -> None:
    grace = staff(client, VIEW)
    assert grace.get(f"{LIST}slates/{uuid4()}/").status_code == 404
    assert grace.get(f"{LIST}999999/change/").status_code == 404


def test_a_list_of_somebody_without_a_row_is_explained_too(client: Client, house: House) -> None:
    client.get("/api/v1/movies/recommendations?n=5")
    client.get("/api/v1/movies/recommendations?n=5")
    slate = Slate.objects.get(user=None)
    page = text(staff(client, VIEW), why(slate))
    assert "Why somebody without a row was shown these films" in page
    assert page.count("What came of it pending") == 5


def test_tells_all_that_a_bandit_drew_by(client: Client, house: House) -> None:
    serve(BANDIT)
    watch(bearer(make_user("ada")), house)
    slate = Slate.objects.get()
    page = text(staff(client, VIEW), why(slate))
    told = slate.posterior
    first = told["arms"][0]
    alpha, beta = told["alpha"][first], told["beta"][first]
    low, high = betaincinv(alpha, beta, 0.025), betaincinv(alpha, beta, 0.975)
    row = (
        f"{first} 1 {slate.owners.count(first)} {told['draws'][first]:.4f} {alpha / (alpha + beta):.4f} "
        f"{low:.4f} to {high:.4f} {told['propensities'][first][0]:.3f} {sum(told['propensities'][first]):.3f}"
    )
    assert row in page
    (absent,) = set(BANDIT["arms"]) - set(told["arms"])
    assert f"{absent} – 0 {told['draws'][absent]:.4f}" in page
    assert f"Context {', '.join(slate.context.values())}" in page
    assert "Version 1 of the bandit" in page
    assert "Counts for experiments and the bandit" in page


def test_tells_that_the_bandit_leaves_a_newcomer_alone(client: Client, house: House) -> None:
    serve(BANDIT)
    page = text(staff(client, VIEW), why(Slate.objects.get(pk=ask(make_user("ada")).recommendation_id)))
    assert (
        "The bandit drew nothing: it draws only where each of its arms knows something of the viewer." in page
    )
    assert "Counts for experiments " in page
    assert "for experiments and the bandit" not in page


def test_tells_the_weights_that_served_while_the_bandit_was_frozen(client: Client, house: House) -> None:
    serve(BANDIT)
    fan = make_user("ada")
    for film in house.horror[:3]:
        make_rating(fan, film, 5.0)
    ask(fan)
    weights = {"svd": 0.7, "als": 0.1, "item_cf": 0.1, "popular": 0.1}
    freeze(version=1, weights=weights, reason="Test", by=None)
    page = text(staff(client, VIEW), why(Slate.objects.get(pk=ask(fan).recommendation_id)))
    assert "als 0.100 item_cf 0.100 popular 0.100 svd 0.700" in page


def test_tells_what_spoke_for_a_film_beside_those_above_it(client: Client, house: House) -> None:
    serve({"policy": "fixed", "arms": {"hybrid": 1.0}, "diversity": 0.5})
    watch(bearer(make_user("ada")), house)
    grace = staff(client, VIEW)
    page = text(grace, why(Slate.objects.get()))
    first, *others = re.findall(
        r"Place (\d+) in the arm's own order Chosen by relevance \S+ popularity and niche \S+ "
        r"likeness to films above (\S+), their genre (\S+)",
        page,
    )
    assert len(others) == 4
    # Nothing is above the first film; of two kinds of films one is above each of the last three.
    assert [float(term) for term in first[1:]] == [0, 0]
    assert all(float(genre) < 0 for _, _, genre in others[1:])
    Slate.objects.update(model_version="an-older-one")
    assert "Chosen by" not in text(grace, why(Slate.objects.get()))


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
