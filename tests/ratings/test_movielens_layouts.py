"""Every official layout of MovieLens, in small: what each gives, and what each refuses."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps.accounts.models import User
from apps.catalog.models import Entity, Movie, MovieKeyword
from apps.core.management.base import Refused
from apps.ratings.models import Rating
from tests.factories import make_movie

pytestmark = pytest.mark.django_db


def item(number: int, title: str, released: str = "01-Jan-1995", genres: str = "0" * 19) -> str:
    return "|".join([str(number), title, released, "", "http://us.imdb.com/", *genres])


ANIMATED = "0001110000000000000"
HUNDRED_K = {
    "u.item": "\n".join(
        [
            item(1, "Toy Story (1995)", genres=ANIMATED),
            item(242, "Kolya (1996)", "24-Jan-1997"),
            item(246, "Chasing Amy (1997)"),
            item(267, "unknown", "", "1" + "0" * 18),
            item(268, "Chasing Amy (1997)"),
            item(1000, "Misérables, Les (1995)"),
        ]
    )
    + "\n",
    "u.data": "196\t242\t3\t881250949\n186\t246\t3\t891717742\n186\t268\t5\t891717743\n196\t267\t1\t1\n",
    "u.user": "196|49|M|writer|55105\n186|39|F|executive|00000\n7|57|M|administrator|91344\n",
    "u.genre": "unknown|0\nAction|1\n\n",
    "u1.base": "1\t1\t5\t874965758\n",
}
ONE_M = {
    "movies.dat": (
        "1::Toy Story (1995)::Animation|Children's|Comedy\n73::Misérables, Les (1995)::Drama|Musical\n"
    ),
    "ratings.dat": "1::1::5::978300760\n2::73::3::978302109\n",
    "users.dat": "1::F::1::10::48067\n2::M::56::16::70072\n",
}
TEN_M = {
    "movies.dat": "1::Toy Story (1995)::Animation|Children\n9::What :: If (2000)::(no genres listed)\n",
    "ratings.dat": "1::1::3.5::838985046\n2::9::0.5::838983525\n",
    "tags.dat": "1::1::Pixar::1188263867\n2::1::c++ :: code::1188263867\n",
}


def write(folder: Path, files: Mapping[str, str], encoding: str = "utf-8") -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text.encode(encoding))
    return folder


def load(place: Path, *arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("load_movielens", str(place), "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


def refusal(place: Path) -> str:
    with pytest.raises(Refused) as refused:
        load(place)
    return str(refused.value)


# --- 100k ----------------------------------------------------------------------------------------


@pytest.fixture
def hundred_k(tmp_path: Path) -> Path:
    return write(tmp_path / "ml-100k", HUNDRED_K, "latin-1")


def test_reads_100k_with_its_genre_flags_in_latin_1(hundred_k: Path) -> None:
    report = load(hundred_k)
    assert (report["films"]["new"], report["people"]["new"]) == (5, 3)
    assert report["ratings"] == {"new": 3, "updated": 0, "unchanged": 0, "duplicates": 1}
    assert report["ignored_files"] == ["u.genre", "u1.base"]
    toy = Movie.objects.get(title="Toy Story")
    assert (toy.year, toy.genre_names) == (1995, ["Animation", "Children", "Comedy"])
    assert Movie.objects.filter(title="Les Misérables", year=1995).exists()
    assert not Movie.objects.exclude(movielens_id=None).exists()


def test_a_film_that_100k_names_twice_is_one_film_and_the_later_rating_counts(hundred_k: Path) -> None:
    load(hundred_k)
    amy = Movie.objects.get(title="Chasing Amy")
    assert (amy.rating_sum, amy.rating_count) == (5.0, 1)
    assert set(amy.entities.values_list("key", flat=True)) == {"ml-100k:246", "ml-100k:268"}


def test_its_film_without_a_name_is_kept_hidden(hundred_k: Path) -> None:
    assert load(hundred_k)["skipped"]["films without title, hidden"] == 1
    movie = Movie.objects.get(is_available=False)
    assert (movie.title, movie.rating_count) == ("Untitled film (ml-100k 267)", 1)


def test_its_ids_are_not_those_of_later_sets(hundred_k: Path) -> None:
    other = make_movie("GoldenEye", year=1995, movielens_id=242)
    kolya = make_movie("Kolya", year=1996, movielens_id=1450)
    load(hundred_k)
    kolya.refresh_from_db()
    other.refresh_from_db()
    assert (kolya.rating_count, other.rating_count) == (1, 0)
    assert Entity.objects.get(key="ml-100k:242").movie == kolya


def test_nothing_is_kept_of_what_it_says_about_people(hundred_k: Path) -> None:
    load(hundred_k)
    person = User.objects.filter(username="ml-100k-196").values().get()
    assert not {"49", "writer", "55105"} & {str(value) for value in person.values()}


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        (
            "u.item",
            "2|Heat (1995)|01-Jan-1995||",
            "u.item, line 7: expected 24 fields parted by |, but found '2|Heat (1995)|01-Jan-1995||'",
        ),
        (
            "u.item",
            item(2, "Heat (1995)", genres="2" + "0" * 18),
            f"u.item, line 7: expected 19 genre flags, each 0 or 1, but found '{'|'.join('2' + '0' * 18)}'",
        ),
        ("u.item", item(2, ""), "u.item, line 7: expected a title, but found ''"),
        (
            "u.data",
            "1 1 5 874965758",
            "u.data, line 5: expected user id, item id, rating and timestamp parted by tabs, "
            "but found '1 1 5 874965758'",
        ),
        (
            "u.data",
            "999\t1\t5\t874965758",
            "u.data, line 5: expected a userId that u.user has, but found '999'",
        ),
        (
            "u.user",
            "7|57|M",
            "u.user, line 4: expected user id|age|gender|occupation|zip code, but found '7|57|M'",
        ),
    ],
)
def test_refuses_a_bad_line_of_100k(hundred_k: Path, file: str, line: str, message: str) -> None:
    write(hundred_k, {file: HUNDRED_K[file] + line + "\n"}, "latin-1")
    assert refusal(hundred_k) == message
    assert not Movie.objects.exists()


# --- 1m and 10m ----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_reads_1m(tmp_path: Path, encoding: str) -> None:
    report = load(write(tmp_path / "ml-1m", ONE_M, encoding))
    assert (report["films"]["new"], report["people"]["new"], report["ratings"]["new"]) == (2, 2, 2)
    films = {str(movie): movie.genre_names for movie in Movie.objects.all()}
    assert films == {
        "Toy Story (1995)": ["Animation", "Children", "Comedy"],
        "Les Misérables (1995)": ["Drama", "Musical"],
    }


def test_reads_10m_with_half_stars_and_tags(tmp_path: Path) -> None:
    report = load(write(tmp_path / "ml-10M100K", TEN_M))
    assert (report["ratings"]["new"], report["tags"]["new"]) == (2, 2)
    assert set(Rating.objects.values_list("value", flat=True)) == {3.5, 0.5}
    assert set(Movie.objects.values_list("title", "year")) == {("Toy Story", 1995), ("What :: If", 2000)}
    assert set(MovieKeyword.objects.values_list("keyword__name", flat=True)) == {"pixar", "c++ :: code"}


@pytest.mark.parametrize(
    ("file", "line", "expected"),
    [
        ("movies.dat", "2:Heat (1995):Crime", "MovieID::Title::Genres, but found '2:Heat (1995):Crime'"),
        ("ratings.dat", "1::1::5", "UserID::MovieID::Rating::Timestamp, but found '1::1::5'"),
        ("tags.dat", "1::1::Pixar", "UserID::MovieID::Tag::Timestamp, but found '1::1::Pixar'"),
    ],
)
def test_refuses_a_bad_line_of_10m(tmp_path: Path, file: str, line: str, expected: str) -> None:
    folder = write(tmp_path / "ml-10m", TEN_M | {file: TEN_M[file] + line + "\n"})
    assert refusal(folder) == f"{file}, line 3: expected {expected}"
    assert not Movie.objects.exists()


def test_refuses_a_bad_person_of_1m(tmp_path: Path) -> None:
    folder = write(tmp_path / "ml-1m", ONE_M | {"users.dat": "1::F::1\n"})
    expected = "UserID::Gender::Age::Occupation::Zip-code, but found '1::F::1'"
    assert refusal(folder) == f"users.dat, line 1: expected {expected}"


# --- CSV -----------------------------------------------------------------------------------------


def test_says_that_the_genome_is_ignored(tmp_path: Path) -> None:
    files = {
        "movies.csv": "movieId,title,genres\n1,Toy Story (1995),Comedy\n",
        "ratings.csv": "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n",
        "genome-scores.csv": "movieId,tagId,relevance\n1,1,0.5\n",
        "genome-tags.csv": "tagId,tag\n1,007\n",
        "README.txt": "…",
    }
    report = load(write(tmp_path / "ml-25m", files))
    assert report["ignored_files"] == ["genome-scores.csv", "genome-tags.csv"]


# --- All of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "files"), [("ml-100k", HUNDRED_K), ("ml-1m", ONE_M), ("ml-10M100K", TEN_M)])
def test_a_zip_gives_the_same_and_the_second_time_changes_nothing(
    tmp_path: Path, name: str, files: dict[str, str]
) -> None:
    archive = tmp_path / f"{name}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as held:
        for file, text in files.items():
            held.writestr(f"{name}/{file}", text.encode("latin-1"))
    load(archive)
    before = list(Movie.objects.order_by("pk").values()), list(Rating.objects.order_by("pk").values())
    report = load(write(tmp_path / name, files, "latin-1"))
    assert report["result"] == "nothing changed: all of it was there already"
    assert (
        list(Movie.objects.order_by("pk").values()),
        list(Rating.objects.order_by("pk").values()),
    ) == before


def test_films_of_another_source_are_the_same_films(tmp_path: Path) -> None:
    toy = make_movie("Toy Story", year=1995, tmdb_id=862)
    load(write(tmp_path / "ml-1m", ONE_M))
    toy.refresh_from_db()
    assert (toy.movielens_id, toy.rating_count, Movie.objects.count()) == (1, 1, 2)


def test_a_film_that_several_could_be_is_added_and_listed(tmp_path: Path) -> None:
    for number in (862, 863):
        make_movie("Toy Story", year=1995, tmdb_id=number)
    report = load(write(tmp_path / "ml-1m", ONE_M))
    assert report["ambiguous"] == {"count": 1, "listed": ["Toy Story (1995)"]}
    assert Movie.objects.filter(title="Toy Story").count() == 3
    assert load(tmp_path / "ml-1m")["films"]["unchanged"] == 2


def test_new_films_are_found_and_their_flags_are_fresh(tmp_path: Path) -> None:
    load(write(tmp_path / "ml-1m", ONE_M))
    found = Movie.objects.search("miserables")
    assert [str(movie) for movie in found] == ["Les Misérables (1995)"]
    assert str(Movie.objects.get(title="Toy Story").primary_genre) == "Animation"


# --- RecBole's ------------------------------------------------------------------------------------

RECBOLE = {
    "ml-100k.item": (
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "242\tKolya\t1996\tComedy\n267\tunkonwn\tunkonwn\tunknown\n"
        "1000\tMisérables, Les\t1995\tDrama Musical\n"
    ),
    "ml-100k.inter": (
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        "196\t242\t3\t881250949\n186\t1000\t4.0\t891717742.0\n"
    ),
    "ml-100k.user": "user_id:token\tage:token\n196\t49\n",
}


@pytest.fixture
def recbole(tmp_path: Path) -> Path:
    return write(tmp_path / "ml-100k", RECBOLE)


def test_reads_recboles_layout_under_the_same_ids_as_the_official_one(recbole: Path) -> None:
    report = load(recbole)
    assert (report["films"]["new"], report["ratings"]["new"]) == (3, 2)
    assert report["ignored_files"] == ["ml-100k.user"]
    kolya = Entity.objects.get(key="ml-100k:242").movie
    assert (kolya.title, kolya.year, kolya.genre_names) == ("Kolya", 1996, ["Comedy"])
    assert Movie.objects.get(title="Les Misérables").genre_names == ["Drama", "Musical"]
    assert Movie.objects.get(is_available=False).title == "Untitled film (ml-100k 267)"


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        (
            "ml-100k.item",
            "2\tHeat\tlong ago\tCrime",
            "ml-100k.item, line 5: expected a release_year of four digits, or none, but found 'long ago'",
        ),
        (
            "ml-100k.item",
            "2\tHeat",
            "ml-100k.item, line 5: expected 4 fields parted by tabs, but found '2\\tHeat'",
        ),
        (
            "ml-100k.inter",
            "1\t242\t4.7\t1",
            "ml-100k.inter, line 4: expected a rating from 0.5 to 5.0 by halves, but found '4.7'",
        ),
    ],
)
def test_refuses_a_bad_line_of_recboles_layout(recbole: Path, file: str, line: str, message: str) -> None:
    with (recbole / file).open("a") as stream:
        stream.write(line + "\n")
    assert refusal(recbole) == message
    assert not Movie.objects.exists()


def test_refuses_recboles_layout_without_its_columns(recbole: Path) -> None:
    (recbole / "ml-100k.inter").write_text("user_id:token\titem_id:token\n1\t242\n")
    assert refusal(recbole) == (
        "ml-100k.inter, line 1: expected a header with user_id, item_id, rating, timestamp, parted by tabs, "
        "but found 'user_id:token\\titem_id:token'"
    )
