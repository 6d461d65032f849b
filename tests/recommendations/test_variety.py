"""How far a list reaches, and how many kinds of film are on it, as its row in the log says."""

from math import log2

import numpy as np
import pytest

from apps.accounts.models import User
from apps.events.models import Slate
from apps.recommendations.variety import variety_of
from apps.training.registry import engine
from tests.factories import make_movie, make_user
from tests.house import House
from tests.recommendations.test_recommend import ask

pytestmark = pytest.mark.django_db


def test_a_list_of_the_most_rated_film_has_no_novelty(house: House) -> None:
    active = engine()
    assert active is not None
    most = int(np.argmax(active.popularity))
    found = variety_of(active, np.array([most]))
    assert found is not None
    assert (found.novelty, found.n_genres) == (pytest.approx(0.0), 1)
    assert variety_of(active, np.array([], dtype=np.int64)) is None


def test_novelty_is_the_mean_of_bits_beside_the_most_rated_film(house: House) -> None:
    active = engine()
    assert active is not None
    items = active.items.indices([house.horror[0].pk, house.comedy[0].pk])
    people = active.popularity[items].tolist()
    found = variety_of(active, items)
    assert found is not None
    bits = [log2((1 + active.traits.most_rated) / (1 + n)) for n in people]
    assert (found.novelty, found.n_genres) == (pytest.approx(sum(bits) / 2), 2)


def test_the_log_keeps_both_of_each_list(house: House, fan: User) -> None:
    slate = ask(fan)
    row, active = Slate.objects.get(pk=slate.recommendation_id), engine()
    assert active is not None
    found = variety_of(active, active.items.indices([slot.movie_id for slot in slate.slots]))
    assert found is not None
    assert (row.novelty, row.n_genres) == (pytest.approx(found.novelty), found.n_genres)


@pytest.mark.usefixtures("nothing_kept")
def test_of_a_list_that_no_model_made_neither_is_known() -> None:
    make_movie("Alone", year=1990, genres=["Drama"])
    row = Slate.objects.get(pk=ask(make_user()).recommendation_id)
    assert (row.degraded, row.novelty, row.n_genres) == ("no_model", None, None)
