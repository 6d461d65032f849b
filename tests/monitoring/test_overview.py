"""The admin's front page: true figures, what needs a hand, and both only for who may look further."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import ApiKey
from apps.catalog.models import Movie
from apps.core.identifiers import first_uuid7, uuid7
from apps.core.services import record_audit, record_heartbeat
from apps.core.tasks import WORKER
from apps.events.models import Feedback, MovieDay
from apps.monitoring import overview
from apps.monitoring.parts.part import ok, problem
from apps.monitoring.readiness import Readiness
from apps.training.models import ModelVersion, TrainingRun
from apps.training.services import ensure_standard_recipe
from tests.factories import make_api_key, make_guest, make_movie, make_rating, make_staff, make_user
from tests.rows import make_row, make_slate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def all_parts_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts are looked at by threads, which see no row of a test."""
    monkeypatch.setattr(overview, "readiness", lambda: Readiness([ok("database", "answers")]))


def figures(client: Client) -> dict[str, tuple[str, str]]:
    shown = client.get("/admin/").context["overview"].figures
    return {figure.name: (figure.value, figure.note) for figure in shown}


def needs(client: Client) -> list[str]:
    return [need.text for need in client.get("/admin/").context["overview"].needs]


def slate_of(days_ago: float, **values: Any) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    make_slate(id=uuid7() if not days_ago else first_uuid7(at), created_at=at, **values)


def click(days_ago: float, kind: str = "click") -> None:
    feedback = make_row(Feedback)
    at = timezone.now() - timedelta(days=days_ago)
    Feedback.objects.filter(pk=feedback.pk).update(received_at=at, kind=kind)


def make_live(**values: Any) -> ModelVersion:
    version = make_row(ModelVersion)
    values = {"recipe": ensure_standard_recipe(), "status": "live", "read_at": timezone.now(), **values}
    ModelVersion.objects.filter(pk=version.pk).update(**values)
    return version


def test_counts_films_and_viewers_without_those_of_a_data_set(admin_client: Client) -> None:
    make_movie()
    make_movie(is_available=False)
    make_user(is_imported=True)
    make_guest()
    shown = figures(admin_client)
    assert shown["Films"] == ("1", "1 hidden")
    assert shown["Viewers"] == ("2", "accounts 1, guests 1")


def test_counts_lists_of_a_day_and_of_a_week(admin_client: Client) -> None:
    for days_ago in (0, 0.5, 3, 8):
        slate_of(days_ago)
    assert figures(admin_client)["Lists shown"] == ("2", "in 24 hours; 3 in 7 days")


def test_counts_clicks_and_opened_pages_of_a_day_and_of_a_week(admin_client: Client) -> None:
    for days_ago in (0, 2, 30):
        click(days_ago)
    click(0, "view")
    click(0, "rate")
    assert figures(admin_client)["Clicks"] == ("2", "in 24 hours; 3 in 7 days")


def test_names_the_live_version_and_how_old_its_ratings_are(admin_client: Client) -> None:
    assert figures(admin_client)["Live version"] == ("none", "popular films are shown")
    version = make_live(read_at=timezone.now() - timedelta(hours=3, minutes=5))
    assert figures(admin_client)["Live version"] == ("3 hours old", version.name)


def test_counts_the_ratings_that_the_live_version_lacks(admin_client: Client) -> None:
    make_live()
    make_rating()
    waiting = figures(admin_client)["Ratings waiting"]
    assert waiting == ("1", "not in the live version, which has 1")


def test_says_when_the_worker_was_last_alive(admin_client: Client) -> None:
    name = "Worker's last sign of life"
    assert figures(admin_client)[name][0] == "never seen"
    record_heartbeat(WORKER)
    assert figures(admin_client)[name][0] == "0 minutes ago"


def test_all_is_well_and_nothing_needs_a_hand(admin_client: Client) -> None:
    make_live()
    assert needs(admin_client) == []
    assert "What needs a hand" not in admin_client.get("/admin/").content.decode()


def test_says_what_needs_a_hand_and_leads_there(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = Readiness([problem("worker", "no sign of life yet: start the worker")])
    monkeypatch.setattr(overview, "readiness", lambda: silent)
    recipe = ensure_standard_recipe()
    run = TrainingRun.objects.create(recipe=recipe, trigger="test", status=TrainingRun.Status.FAILED)
    slate_of(0, degraded="no_model")
    key, _ = make_api_key("catalog.write")
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() + timedelta(days=2))
    page = admin_client.get("/admin/")
    assert [need.text for need in page.context["overview"].needs] == [
        "Worker: no sign of life yet: start the worker",
        "The last training failed: look why",
        "Lists that fell back to popular films in 24 hours: 1",
        "API keys that expire within 7 days: 1",
    ]
    text = page.content.decode()
    assert f'href="/admin/training/trainingrun/{run.pk}/change/"' in text
    assert 'href="/admin/events/slate/?fell_back=yes"' in text
    for need in page.context["overview"].needs:
        assert admin_client.get(need.url).status_code == 200, need.url


def test_ratings_that_wait_for_a_training_are_named(admin_client: Client, settings: Any) -> None:
    settings.UPDATE_THRESHOLD = 1
    make_live()
    make_rating()
    assert needs(admin_client) == ["Ratings that wait for a training: 1"]


def shown_on(days_ago: int, movie: Movie, shown: int, clicked: int, surface: str = "api") -> None:
    day = timezone.now().date() - timedelta(days=days_ago)
    MovieDay.objects.create(movie=movie, day=day, surface=surface, shown=shown, clicked=clicked)


def test_names_the_films_shown_most_in_a_week(admin_client: Client) -> None:
    often, seldom = make_movie("Heat <1>", year=1995), make_movie("Alien")
    shown_on(0, often, 5, 1)
    shown_on(6, often, 4, 1, "home.for_you")
    shown_on(1, seldom, 8, 0)
    shown_on(7, seldom, 100, 50)
    page = admin_client.get("/admin/")
    rows = [(row["title"], row["shown"], row["clicked"]) for row in page.context["overview"].films]
    assert rows == [("Heat <1>", 9, 2), ("Alien", 8, 0)]
    assert f'?movie__id__exact={often.pk}">Heat &lt;1&gt; (1995)</a>' in page.content.decode()


def test_says_what_was_done_last_and_by_whom(admin_client: Client) -> None:
    for number in range(8):
        record_audit("catalog.update_movie", by=None, reason=f"reason <{number}>")
    page = admin_client.get("/admin/")
    reasons = [act.reason for act in page.context["overview"].acts]
    assert reasons == [f"reason <{number}>" for number in (7, 6, 5, 4, 3, 2)]
    assert "reason &lt;7&gt;" in page.content.decode()


def test_staff_see_the_figures_of_tables_that_they_may_see(client: Client) -> None:
    client.force_login(make_staff(permissions=["catalog.view_movie"]))
    slate_of(0, degraded="no_model")
    assert list(figures(client)) == ["Films"]
    assert needs(client) == []
    shown_on(0, make_movie("Heat"), 1, 0)
    record_audit("catalog.update_movie", by=None)
    text = client.get("/admin/").content.decode()
    for unseen in ("Live version", "Shown most", "Done last", "Heat"):
        assert unseen not in text


def test_every_figure_leads_to_its_table(admin_client: Client) -> None:
    make_live()
    for figure in admin_client.get("/admin/").context["overview"].figures:
        assert admin_client.get(figure.url).status_code == 200, figure.url


@pytest.mark.parametrize("number", [1, 12])
def test_the_front_page_takes_the_same_queries_however_much_there_is(
    admin_client: Client, number: int, django_assert_num_queries: Any
) -> None:
    for _ in range(number):
        slate_of(0)
        click(0)
        make_rating()
    admin_client.get("/admin/")
    with django_assert_num_queries(16):
        admin_client.get("/admin/")
