"""A film, and somebody who may do whatever is tried."""

import pytest

from apps.catalog.models import Movie
from tests.callers import Caller, bearer
from tests.factories import make_movie, make_staff


@pytest.fixture
def movie() -> Movie:
    return make_movie("Alien", year=1979, genres=["Horror"])


@pytest.fixture
def keeper() -> Caller:
    """Who may do all that the API offers."""
    names = ["catalog.add_movie", "catalog.change_movie", "accounts.act_for_users"]
    names += ["bandits.view_banditpolicy", "experiments.view_experiment"]
    names += ["training.view_trainingrun", "training.add_trainingrun"]
    return bearer(make_staff(permissions=names))
