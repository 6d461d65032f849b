"""A slate of the log made again from what its row holds."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command

from apps.accounts.models import User
from apps.accounts.privacy import erase_user
from apps.bandits.models import BanditPolicy
from apps.bandits.services import freeze
from apps.catalog.services import update_movie
from apps.core.management.base import Refused
from apps.events.models import RecommendationEvent, Slate, Surface
from apps.ratings.models import Rating
from apps.recommendations.replaying import replay
from apps.training.models import ModelVersion
from apps.training.services import train
from tests.factories import make_rating, make_staff
from tests.house import House
from tests.recommendations.test_recommend import ask, serve

pytestmark = pytest.mark.django_db

FIXED = {"policy": "fixed", "arms": {"hybrid": 0.5, "svd": 0.5}, "diversity": 0.5}
BANDIT = {"policy": "bandit", "arms": ["svd", "als", "item_cf", "popular"], "slots": 3, "diversity": 0.5}


def refusal(slate_id: Any) -> str:
    with pytest.raises(Refused) as refused:
        call_command("replay_slate", str(slate_id))
    return str(refused.value)


@pytest.mark.parametrize("strategy", [FIXED, BANDIT], ids=["fixed", "bandit"])
def test_is_the_same_after_the_viewer_and_the_model_went_on(
    house: House, fan: User, strategy: dict[str, Any]
) -> None:
    serve(strategy)
    slates = [ask(fan, n=9).recommendation_id for _ in range(3)]
    make_rating(fan, house.comedy[0], 5.0)
    train(recipe="standard", trigger="test")
    for slate_id in slates:
        assert slate_id is not None
        found = replay(slate_id)
        assert found.is_same
        assert len(found.again) == 9


def test_is_the_same_for_a_frozen_bandit_and_for_films_like_one(house: House, fan: User) -> None:
    serve(BANDIT)
    ask(fan, n=3)
    freeze(version=BanditPolicy.objects.latest("version").version, reason="a test", by=make_staff())
    for slate in (ask(fan, n=9), ask(fan, n=6, surface=Surface.SIMILAR, anchor=house.horror[0].pk)):
        assert slate.recommendation_id is not None
        assert replay(slate.recommendation_id).is_same


def test_a_film_hidden_before_or_after_changes_nothing(house: House, fan: User) -> None:
    before = ask(fan, n=5)
    staff = make_staff()
    update_movie(movie=house.horror[3], by=staff, reason="a test", is_available=False)
    after = ask(fan, n=5)
    assert house.horror[3].pk in {slot.movie_id for slot in before.slots}
    for slate in (before, after):
        assert slate.recommendation_id is not None
        assert replay(slate.recommendation_id).is_same


def test_says_when_the_log_was_tampered_with(
    house: House, fan: User, capsys: pytest.CaptureFixture[str]
) -> None:
    slate_id = ask(fan, n=4).recommendation_id
    event = RecommendationEvent.objects.filter(slate_id=slate_id).latest("position")
    RecommendationEvent.objects.filter(pk=event.pk).update(movie=house.comedy[0])
    with pytest.raises(Refused, match=r"^The slate made again differs from the one that was shown$"):
        call_command("replay_slate", str(slate_id), "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["same"] is False
    assert told["shown"][:3] == [
        {**one, "score": pytest.approx(one["score"], rel=1e-4)} for one in told["again"][:3]
    ]


def test_says_which_part_is_gone(house: House, fan: User) -> None:
    slate_id = ask(fan, n=4).recommendation_id
    narrowed = ask(fan, n=4, genre="Horror").recommendation_id
    assert refusal(narrowed) == f"Slate {narrowed} was narrowed by genre: to which films is not kept."
    version = Slate.objects.get(pk=slate_id).model_version
    train(recipe="standard", trigger="test")
    ModelVersion.objects.filter(name=version).update(artifact="")
    assert refusal(slate_id) == (
        f"The files of version {version} were removed: the slate cannot be made again."
    )
    Rating.objects.filter(user=fan).delete()
    erase_user(fan)
    assert refusal(slate_id) == (
        f"Slate {slate_id} was of somebody who was erased: the history that it came from is gone."
    )
    nobody = uuid4()
    assert refusal(nobody) == f"There is no slate {nobody}."
