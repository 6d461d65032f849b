"""Demo data, a model, and a viewer who rated much, for ``benchmarks/pages.py``.

Prints the viewer's cookie, a film of theirs, and how many films they rated.
"""

import json
import sys

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django is set up above
from django.core.management import call_command  # noqa: E402
from django.db.models import Count  # noqa: E402
from django.test import Client  # noqa: E402

from apps.accounts.models import User  # noqa: E402
from apps.catalog.models import Movie  # noqa: E402
from apps.ratings.models import Rating  # noqa: E402
from apps.ratings.services import set_rating  # noqa: E402
from apps.training.models import ModelVersion  # noqa: E402

NAME = "bench-pages"
MANY = 500
"""The ratings of the imported person whose history the viewer gets are the fewest from here on."""


def main() -> None:
    call_command("migrate", verbosity=0, stdout=sys.stderr)
    if not Movie.objects.exists():
        call_command("load_movielens", "demo", stdout=sys.stderr)
    viewer = User.objects.filter(username=NAME).first() or _make_viewer()
    if not ModelVersion.objects.filter(status="live").exists():
        call_command("train", stdout=sys.stderr)
    client = Client(headers={"Host": "127.0.0.1"})
    client.force_login(viewer)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    film = Movie.objects.popular().values_list("pk", flat=True)[0]
    rated = Rating.objects.of(viewer.pk).standing().count()
    said = {"name": settings.SESSION_COOKIE_NAME, "cookie": cookie, "film": film, "rated": rated}
    print(json.dumps(said))


def _make_viewer() -> User:
    viewer = User.objects.create_user(NAME)
    people = User.objects.filter(is_imported=True).annotate(n=Count("rating")).filter(n__gte=MANY)
    person = people.order_by("n", "pk")[0]
    for rating in Rating.objects.of(person.pk).standing().order_by("changed_at", "pk"):
        set_rating(user=viewer, movie=rating.movie, value=rating.value or 0.5, at=rating.changed_at)
    return viewer


if __name__ == "__main__":
    main()
