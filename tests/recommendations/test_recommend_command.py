"""``manage.py recommend``: what a viewer would be shown now."""

from io import StringIO

import pytest
from django.core.management import call_command

from tests.factories import make_rating, make_user
from tests.house import House

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("number", "text"), [(0, "0 films"), (1, "1 film"), (2, "2 films")])
def test_says_how_many_films_of_the_viewers_it_goes_by(house: House, number: int, text: str) -> None:
    viewer = make_user()
    for film in house.horror[:number]:
        make_rating(viewer, film, 5.0)
    out = StringIO()
    call_command("recommend", viewer.username, n=2, stdout=out)
    assert f"history: {text}\n" in out.getvalue()
