"""Imports that are killed, as processes of their own, and started again."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Count, Sum

from apps.catalog.importing.people import MAX_CAST
from apps.catalog.models import Entity, Movie, MoviePerson, Triple
from apps.ratings.models import Rating
from tests.factories import make_movie
from tests.processes import production, running, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

# Batches so small that the process is killed between two of them, as a big import would be.
IMPORT = """
import sys
import django
django.setup()
from django.core.management import call_command
from apps.catalog.importing import knowledge_graph, loading
from apps.ratings.importing import ratings
loading.BATCH = ratings.BATCH = knowledge_graph.BATCH = 100
call_command(*sys.argv[1:])
"""
PEOPLE, FILMS = 200, 60


def write_movielens(folder: Path) -> Path:
    with (folder / "movies.csv").open("w") as stream:
        stream.write("movieId,title,genres\n")
        stream.writelines(f"{film},Film {film} (1990),Drama\n" for film in range(1, FILMS + 1))
    with (folder / "ratings.csv").open("w") as stream:
        stream.write("userId,movieId,rating,timestamp\n")
        stream.writelines(
            f"{person},{film},{(person + film) % 10 / 2 + 0.5},{person + film}\n"
            for person in range(1, PEOPLE + 1)
            for film in range(1, FILMS + 1)
        )
    return folder


def kill_midway(folder: Path, *command: str, when: Callable[[], bool]) -> None:
    (folder / "import_in_pieces.py").write_text(IMPORT)
    values = {"DJANGO_SETTINGS_MODULE": "recommender_site.settings.test", "PYTHONPATH": f"{folder}:."}
    with running(production(**values), "import_in_pieces", *command) as program:
        wait_until(when, "the import has begun")
        program.kill()


def load(*command: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command(*command, "--json", stdout=out)
    return json.loads(out.getvalue())


def assert_films_count_their_ratings() -> None:
    counted = Rating.objects.order_by().values("movie_id").annotate(n=Count("pk"), stars=Sum("value"))
    held = {row["movie_id"]: (row["stars"], row["n"]) for row in counted}
    for movie in Movie.objects.all():
        assert (movie.rating_sum, movie.rating_count) == held.get(movie.pk, (0.0, 0))


def test_killed_load_movielens_leaves_whole_batches_and_goes_on(tmp_path: Path) -> None:
    folder = write_movielens(tmp_path)
    command = ("load_movielens", str(folder), "--name", "killed")
    kill_midway(tmp_path, *command, when=lambda: Rating.objects.count() >= 1000)
    done = Rating.objects.count()
    assert 1000 <= done < PEOPLE * FILMS
    assert done % 100 == 0
    assert_films_count_their_ratings()
    report = load(*command)
    assert report["ratings"] == {
        "new": PEOPLE * FILMS - done,
        "updated": 0,
        "unchanged": done,
        "duplicates": 0,
    }
    assert_films_count_their_ratings()
    assert load(*command)["result"] == "nothing changed: all of it was there already"


def test_killed_load_tmdb_goes_on_without_doubles(tmp_path: Path) -> None:
    table = tmp_path / "films.csv"
    with table.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["title", "year", "director", "keywords"])
        writer.writerows(
            [f"Film {number}", 1990, f"Person {number % 50}", f"word {number % 90}"] for number in range(3000)
        )
    command = ("load_tmdb", str(table))
    kill_midway(tmp_path, *command, when=lambda: Movie.objects.count() >= 300)
    done = Movie.objects.count()
    assert 300 <= done < 3000
    assert Movie.objects.filter(moviekeyword=None).count() == 0
    report = load(*command)
    assert report["films"] == {"new": 3000 - done, "updated": 0, "unchanged": done}
    assert (report["credits"]["new"], report["keywords"]["new"]) == (3000 - done, 3000 - done)
    assert Movie.objects.count() == 3000


def test_killed_load_knowledge_graph_goes_on_without_doubles(tmp_path: Path) -> None:
    films = [make_movie(f"Film {number}", year=1990, movielens_id=number) for number in range(1, FILMS + 1)]
    graph = {
        "link": [
            "item_id:token\tentity_id:token",
            *(f"{film.movielens_id}\tm.0f{film.pk}" for film in films),
        ],
        "kg": [
            "head_id:token\trelation_id:token\ttail_id:token",
            *(f"m.0f{film.pk}\tfilm.film.actor\tPerson {n}" for film in films for n in range(50)),
        ],
    }
    for suffix, lines in graph.items():
        (tmp_path / f"ml-tiny.{suffix}").write_text("\n".join(lines) + "\n")
    command = ("load_knowledge_graph", str(tmp_path))
    kill_midway(tmp_path, *command, when=lambda: Triple.objects.count() >= 300)
    done = Triple.objects.count()
    assert 300 <= done < FILMS * 50
    assert done % 100 == 0
    report = load(*command)
    assert report["triples"] == {"new": FILMS * 50 - done, "updated": 0, "unchanged": done}
    assert report["films"] == {"linked": FILMS, "not in the catalogue": 0}
    assert (Triple.objects.count(), Entity.objects.count()) == (FILMS * 50, FILMS + 50)
    assert report["credits"]["new"] == MoviePerson.objects.count() == FILMS * MAX_CAST
    assert load(*command)["result"] == "nothing changed: all of it was there already"
