"""``load_knowledge_graph``: triples, and what they say of films."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps.catalog.models import Entity, Movie, MovieKeyword, MoviePerson, Triple
from apps.core.management.base import Refused
from tests.factories import make_movie

pytestmark = pytest.mark.django_db

GRAPH = """head_id:token\trelation_id:token\ttail_id:token
m.0heat\tfilm.film.directed_by\tm.0mann
m.0mann\tfilm.director.film\tm.0heat
m.0heat\tfilm.film.actor\tm.0pacino
m.0heat\tfilm.film.actor\tm.0deniro
m.0heat\tfilm.film.genre\tm.0crime
m.0heat\tfilm.film.subjects\tm.0heist
m.0heat\tfilm.film.country\tm.0us
m.0heat\tmade.up.relation\tm.0other
m.0ran\tfilm.film.genre\tm.0crime
"""
LINK = "item_id:token\tentity_id:token\n1\tm.0heat\n2\tm.0ran\n3\tm.0gone\n"
ITEM = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
ITEM += "1\tHeat\t1995\tCrime\n2\tRan\t1985\tWar\n3\tGone, The\t1990\tDrama\n"
NAMES = """entity_id:token\tname:token_seq
m.0mann\tMichael Mann
m.0pacino\tAl Pacino
m.0deniro\tRobert De Niro
m.0crime\tCrime
m.0heist\tHeist
"""


def write(folder: Path, stem: str, **files: str | None) -> Path:
    folder.mkdir(exist_ok=True)
    for suffix, text in ({"kg": GRAPH, "link": LINK, "item": ITEM} | files).items():
        if text is not None:
            (folder / f"{stem}.{suffix}").write_text(text)
    return folder


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    return write(tmp_path / "graph", "ml-tiny")


@pytest.fixture
def heat() -> Movie:
    make_movie("Ran", year=1985, movielens_id=2)
    return make_movie("Heat", year=1995, movielens_id=1)


def load(place: Path, *arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("load_knowledge_graph", str(place), "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


def refusal(place: Path) -> str:
    with pytest.raises(Refused) as refused:
        load(place)
    return str(refused.value)


def test_stores_triples_that_lead_from_film_to_film(graph: Path, heat: Movie) -> None:
    report = load(graph)
    assert report["films"] == {"linked": 2, "not in the catalogue": 1}
    assert report["not_in_the_catalogue"] == ["The Gone (1990)"]
    assert (report["entities"]["new"], report["triples"]["new"]) == (10, 8)
    rows = Triple.objects.filter(head__movie=heat).values_list("relation", "tail__key", "tail__kind")
    assert set(rows) == {
        ("director", "freebase:m.0mann", "person"),
        ("cast", "freebase:m.0pacino", "person"),
        ("cast", "freebase:m.0deniro", "person"),
        ("genre", "freebase:m.0crime", "genre"),
        ("keyword", "freebase:m.0heist", "keyword"),
        ("country", "freebase:m.0us", "country"),
        ("made.up.relation", "freebase:m.0other", ""),
    }
    shared = Triple.objects.filter(relation="genre", tail__triples_in__head__movie=heat)
    assert {str(triple.head.movie) for triple in shared} == {"Heat (1995)", "Ran (1985)"}


def test_an_inverse_says_the_same_once(graph: Path, heat: Movie) -> None:
    load(graph)
    triple = Triple.objects.get(relation="director")
    assert (triple.head.movie, triple.tail.key) == (heat, "freebase:m.0mann")


def test_ids_alone_give_films_no_people(graph: Path, heat: Movie) -> None:
    load(graph)
    assert not MoviePerson.objects.exists()
    assert not MovieKeyword.objects.exists()


def test_names_give_films_people_genres_and_keywords_that_they_lack(graph: Path, heat: Movie) -> None:
    write(graph, "ml-tiny", names=NAMES)
    report = load(graph)
    assert (report["credits"]["new"], report["genres"]["updated"], report["keywords"]["new"]) == (3, 2, 1)
    people = MoviePerson.objects.values_list("role", "position", "person__name")
    assert list(people) == [
        ("cast", 0, "Al Pacino"),
        ("cast", 1, "Robert De Niro"),
        ("director", 0, "Michael Mann"),
    ]
    heat.refresh_from_db()
    assert (heat.genre_names, str(heat.primary_genre)) == (["Crime"], "Crime")
    assert MovieKeyword.objects.get(movie=heat).keyword.name == "heist"


def test_names_may_stand_in_the_triples_themselves(graph: Path, heat: Movie) -> None:
    write(graph, "ml-tiny", kg=GRAPH.replace("m.0mann", "Michael Mann"))
    load(graph)
    assert MoviePerson.objects.get(role="director").person.name == "Michael Mann"


@pytest.mark.parametrize("names", [None, NAMES])
def test_the_second_time_changes_nothing_and_says_so(graph: Path, heat: Movie, names: str | None) -> None:
    write(graph, "ml-tiny", names=names)
    load(graph)
    before = list(Entity.objects.order_by("pk").values()), list(Triple.objects.order_by("pk").values())
    assert load(graph)["result"] == "nothing changed: all of it was there already"
    after = list(Entity.objects.order_by("pk").values()), list(Triple.objects.order_by("pk").values())
    assert after == before


def test_films_that_come_later_are_linked_by_the_next_run(graph: Path, heat: Movie) -> None:
    load(graph)
    gone = make_movie("The Gone", year=1990)
    assert load(graph)["entities"]["updated"] == 1
    assert Entity.objects.get(key="freebase:m.0gone").movie == gone


def test_another_sets_ids_are_not_taken_for_those_of_movielens(tmp_path: Path) -> None:
    wrong, right = make_movie("Another", movielens_id=1), make_movie("Heat", year=1995)
    load(write(tmp_path / "graph", "ml-100k"))
    assert Entity.objects.get(key="freebase:m.0heat").movie == right
    assert not wrong.entities.exists()


def test_a_zip_or_the_file_itself_gives_the_same(graph: Path, heat: Movie, tmp_path: Path) -> None:
    archive = tmp_path / "graph.zip"
    with zipfile.ZipFile(archive, "w") as files:
        for file in graph.iterdir():
            files.write(file, f"ml-tiny/{file.name}")
    assert load(archive)["triples"]["new"] == 8
    assert load(graph / "ml-tiny.kg")["triples"]["new"] == 0


@pytest.mark.parametrize(
    ("suffix", "text", "message"),
    [
        (
            "kg",
            GRAPH + "m.0heat\tfilm.film.genre\n",
            "ml-tiny.kg, line 11: expected 3 fields parted by tabs, but found 'm.0heat\\tfilm.film.genre'",
        ),
        (
            "kg",
            GRAPH + "\tfilm.film.genre\tm.0a\n",
            "ml-tiny.kg, line 11: expected head_id of 1 to 120 characters, but found ''",
        ),
        (
            "kg",
            GRAPH + "m.0a\t\tm.0b\n",
            "ml-tiny.kg, line 11: expected relation_id of 1 to 80 characters, but found ''",
        ),
        (
            "kg",
            "a\tb\tc\n",
            "ml-tiny.kg, line 1: expected a header with head_id, relation_id, tail_id, "
            "parted by tabs, but found 'a\\tb\\tc'",
        ),
        (
            "link",
            LINK + "\tm.0x\n",
            "ml-tiny.link, line 5: expected item_id of 1 to 120 characters, but found ''",
        ),
        (
            "names",
            NAMES + "m.0us\t\n",
            "ml-tiny.names, line 7: expected a name of 1 to 200 characters, but found ''",
        ),
    ],
)
def test_refuses_a_bad_line_and_loads_nothing(graph: Path, suffix: str, text: str, message: str) -> None:
    write(graph, "ml-tiny", **{suffix: text})
    assert refusal(graph) == message
    assert not Entity.objects.exists()


def test_skips_bad_lines_counts_and_lists_them(graph: Path, heat: Movie) -> None:
    write(graph, "ml-tiny", kg=GRAPH + "m.0heat\n")
    report = load(graph, "--skip-bad")
    listed = "ml-tiny.kg, line 11: expected 3 fields parted by tabs, but found 'm.0heat'"
    assert report["bad_lines"] == {"count": 1, "listed": [listed], "mended": 0}
    assert report["triples"]["new"] == 8


def test_refuses_a_place_without_a_graph(tmp_path: Path) -> None:
    nowhere = Path("/nowhere/a.kg")
    assert (
        refusal(nowhere)
        == f"There is no folder or file {nowhere}; give a .kg file, or a folder or zip with one"
    )
    assert refusal(tmp_path) == f"{tmp_path} holds 0 .kg files: there must be one"
    (tmp_path / "a.kg").write_text(GRAPH)
    assert refusal(tmp_path) == "There is no a.link beside a.kg: it says which films are which"
