"""Films, ratings, a model and viewers for ``benchmarks/serving.py``. Prints the viewers' tokens."""

import json
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - Django is set up above
from rest_framework_simplejwt.tokens import AccessToken  # noqa: E402

from apps.accounts.models import User  # noqa: E402
from apps.catalog.models import Movie  # noqa: E402
from apps.ratings.models import Rating  # noqa: E402
from apps.training.models import ModelVersion  # noqa: E402
from benchmarks.serving_site.bare import create_table  # noqa: E402


def main(films: int, n_viewers: int) -> None:
    call_command("migrate", verbosity=0, stdout=sys.stderr)
    if not Movie.objects.exists():
        call_command("load_movielens", "demo", stdout=sys.stderr)
    _repeat_films(films)
    viewers = _viewers(n_viewers)
    if not ModelVersion.objects.filter(status="live").exists():
        call_command("train", stdout=sys.stderr)
    create_table()
    print(json.dumps([str(AccessToken.for_user(viewer)) for viewer in viewers]))


def _repeat_films(films: int) -> None:
    """Copies of the demo's films and ratings, so that the catalogue has ``films`` films.

    Each copy is rated by the same people as its original: good for time and memory, for nothing else.
    """
    originals = list(Movie.objects.order_by("pk").values())
    ratings = list(Rating.objects.values_list("user_id", "movie_id", "value", "changed_at", "updated_at"))
    copy = 0
    while Movie.objects.count() < films:
        copy += 1
        chosen = originals[: films - Movie.objects.count()]
        made = Movie.objects.bulk_create(
            [
                Movie(
                    **{
                        name: value
                        for name, value in row.items()
                        if name not in {"id", "tmdb_id", "imdb_id", "movielens_id"}
                    }
                )
                for row in chosen
            ],
            batch_size=2000,
        )
        ids = {row["id"]: movie.pk for row, movie in zip(chosen, made, strict=True)}
        Rating.objects.bulk_create(
            [
                Rating(user_id=user, movie_id=ids[movie], value=value, changed_at=at, updated_at=updated)
                for user, movie, value, at, updated in ratings
                if movie in ids
            ],
            batch_size=5000,
        )


def _viewers(n: int) -> list[User]:
    """Accounts that rated what imported people rated: histories of real lengths."""
    if not User.objects.filter(username="bench-0").exists():
        people = User.objects.filter(is_imported=True).order_by("pk")[:n]
        for number, person in enumerate(people):
            viewer = User.objects.create_user(f"bench-{number}")
            rows = Rating.objects.filter(user=person).values_list("movie_id", "value", "changed_at")
            Rating.objects.bulk_create(
                [
                    Rating(user=viewer, movie_id=movie, value=value, changed_at=at)
                    for movie, value, at in rows[:500]
                ]
            )
    return list(User.objects.filter(username__startswith="bench-").order_by("pk")[:n])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
