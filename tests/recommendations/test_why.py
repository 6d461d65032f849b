"""Why each film of a list was in its place, in the admin."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from scipy.special import betaincinv

from apps.bandits.services import freeze
from apps.events.models import RecommendationEvent, Slate
from apps.training import registry
from apps.training.models import ModelVersion
from apps.training.services import train
from tests.callers import bearer
from tests.factories import make_rating, make_user
from tests.house import House
from tests.recommendations.test_recommend import ask, serve
from tests.recommendations.test_viewer_admin import LIST, VIEW, staff, text, watch, why

pytestmark = pytest.mark.django_db

BANDIT = {"policy": "bandit", "arms": ["svd", "als", "item_cf", "popular"], "slots": 3, "diversity": 0.5}


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
