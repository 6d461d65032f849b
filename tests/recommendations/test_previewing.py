"""The lists that the variants of a design would make for a viewer, looked at before it is stored."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.bandits.models import BanditPolicy
from apps.events.models import Slate
from apps.experiments.models import Experiment
from tests.experiments.setup import HYBRID, POPULAR, make_design
from tests.experiments.test_admin_acts import body_of
from tests.factories import make_staff
from tests.house import House

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]

ADD, SEE = "experiments.add_experiment", "recommendations.view_viewer"
BANDIT = '{"policy": "bandit", "arms": ["svd", "als", "item_cf"], "slots": 2}'


def look(client: Client, viewer: object, *, permissions: tuple[str, ...] = (ADD, SEE), **changed: Any) -> Any:
    client.force_login(make_staff(permissions=permissions))
    design = make_design("first", strategies={"control": HYBRID, "treatment": POPULAR})
    body = body_of(design) | {"variant-0-strategy": '{"arms": {"hybrid": 1}, "diversity": 0}'}
    answer: HttpResponse = client.post(
        reverse("admin:experiments_experiment_add"), body | {"preview": "1", "viewer": str(viewer), **changed}
    )
    return answer


def test_each_variant_shows_its_own_list_and_nothing_is_stored(
    client: Client, fan: User, house: House
) -> None:
    found = look(client, fan.username).context["preview"]
    control, treatment = found.lists
    assert (found.viewer, control.variant, treatment.variant) == (fan, "control", "treatment")
    assert {film.algorithm for film in control.films} == {"hybrid"}
    assert {film.algorithm for film in treatment.films} == {"popular"}
    assert control.films[0].title.startswith("Fright")
    seen = {film.pk for film in house.horror[:3]}
    assert not seen & {film.movie_id for film in (*control.films, *treatment.films)}
    common = {film.movie_id for film in control.films} & {film.movie_id for film in treatment.films}
    assert treatment.in_common == len(common)
    assert not Slate.objects.exists()
    assert not Experiment.objects.exists()


def test_a_bandit_that_never_served_is_shown_by_its_arms_and_not_begun(client: Client, fan: User) -> None:
    found = look(client, fan.pk, **{"variant-1-strategy": BANDIT}).context["preview"]
    assert {film.algorithm for film in found.lists[1].films} <= {"svd", "als", "item_cf"}
    assert not BanditPolicy.objects.exists()


@pytest.mark.parametrize(
    ("viewer", "sentence"),
    [("", "Whose lists? Give a name or a number."), ("nobody", "There is no user &#x27;nobody&#x27;")],
)
def test_whoever_is_not_there_has_no_lists(client: Client, viewer: str, sentence: str) -> None:
    answer = look(client, viewer)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()


def test_lists_of_viewers_are_for_who_may_see_viewers(client: Client, fan: User) -> None:
    assert look(client, fan.username, permissions=(ADD,)).status_code == 403
    assert "Show the lists" not in client.get(reverse("admin:experiments_experiment_add")).content.decode()
