"""What the pages add to the admin."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_movie

pytestmark = pytest.mark.django_db


def test_a_film_leads_to_its_page_while_it_has_one(admin_client: Client) -> None:
    shown, hidden = make_movie(), make_movie(is_available=False)
    offered = [
        f'href="/film/{movie.pk}"'
        in admin_client.get(reverse("admin:catalog_movie_change", args=[movie.pk])).content.decode()
        for movie in (shown, hidden)
    ]
    assert offered == [True, False]
