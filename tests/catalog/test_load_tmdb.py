"""``load_tmdb``: known answers, file by file."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps.catalog.importing import loading
from apps.catalog.models import Movie, MovieKeyword, MoviePerson, Person, Triple
from apps.core.management.base import Refused
from tests.factories import make_movie

pytestmark = pytest.mark.django_db

MOVIES = [
    {
        "genres": '[{"id": 18, "name": "Drama"}, {"id": 878, "name": "Science Fiction"}]',
        "id": "19995",
        "keywords": '[{"id": 1463, "name": "culture clash"}, {"id": 2964, "name": "Future"}]',
        "original_language": "en",
        "original_title": "Avatar",
        "overview": 'In the 22nd century, a "paraplegic" Marine\nis dispatched to the moon.',
        "production_countries": '[{"iso_3166_1": "US", "name": "United States of America"}]',
        "release_date": "2009-12-10",
        "runtime": "162.0",
        "title": "Avatar",
        "vote_average": "7.2",
        "vote_count": "11800",
    },
    {
        "genres": "[]",
        "id": "129",
        "keywords": "[]",
        "original_language": "ja",
        "original_title": "千と千尋の神隠し",
        "overview": "",
        "production_countries": "[]",
        "release_date": "2001-07-20",
        "runtime": "",
        "title": "Spirited Away",
        "vote_average": "8.3",
        "vote_count": "3840",
    },
]
CAST = [
    {"cast_id": 3, "id": 8691, "name": "Zoe Saldana", "order": 1, "character": "Neytiri"},
    {"cast_id": 242, "id": 65731, "name": "Sam Worthington", "order": 0, "character": "Jake"},
]
CREW = [
    {"id": 2710, "name": "James Cameron", "job": "Director", "department": "Directing"},
    {"id": 2710, "name": "James Cameron", "job": "Writer", "department": "Writing"},
    {"id": 1721, "name": "Rick Carter", "job": "Production Design", "department": "Art"},
]
CREDITS = [{"movie_id": "19995", "title": "Avatar", "cast": json.dumps(CAST), "crew": json.dumps(CREW)}]


def write(path: Path, rows: Sequence[Mapping[str, str]], separator: str = ",") -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
    return path


def load(place: Path, *arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("load_tmdb", str(place), "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


def refusal(place: Path, *arguments: str) -> str:
    with pytest.raises(Refused) as refused:
        load(place, *arguments)
    return str(refused.value)


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """The folder of tmdb_5000_movies.csv and tmdb_5000_credits.csv."""
    write(tmp_path / "tmdb_5000_movies.csv", MOVIES)
    write(tmp_path / "tmdb_5000_credits.csv", CREDITS)
    return tmp_path


def test_loads_the_pair_of_films_and_credits(pair: Path) -> None:
    report = load(pair)
    said = "new: films 2, credits 4, keywords 2, countries and series 1"
    assert (report["result"], report["missing_files"]) == (said, [])
    avatar = Movie.objects.get(tmdb_id=19995)
    facts = (avatar.title, avatar.original_title, avatar.year, avatar.language, avatar.runtime)
    assert facts == ("Avatar", "", 2009, "en", 162)
    assert avatar.overview == 'In the 22nd century, a "paraplegic" Marine\nis dispatched to the moon.'
    assert (avatar.tmdb_vote_average, avatar.tmdb_vote_count) == (7.2, 11800)
    assert avatar.genre_names == ["Drama", "Sci-Fi"]
    words = MovieKeyword.objects.filter(movie=avatar).values_list("keyword__name", "weight")
    assert sorted(words) == [("culture clash", 1), ("future", 1)]
    people = MoviePerson.objects.filter(movie=avatar).values_list("role", "position", "person__name")
    assert list(people) == [
        ("cast", 0, "Sam Worthington"),
        ("cast", 1, "Zoe Saldana"),
        ("director", 0, "James Cameron"),
        ("writer", 0, "James Cameron"),
    ]
    assert Person.objects.get(name="James Cameron").tmdb_id == 2710
    assert str(Triple.objects.get(head__movie=avatar, relation="country").tail) == "United States of America"


def test_the_second_time_changes_nothing_and_says_so(pair: Path) -> None:
    load(pair)
    before = list(Movie.objects.order_by("pk").values())
    report = load(pair)
    assert report["result"] == "nothing changed: all of it was there already"
    assert report["films"] == {"new": 0, "updated": 0, "unchanged": 2}
    assert list(Movie.objects.order_by("pk").values()) == before


def test_new_films_are_found_and_their_flags_are_fresh(pair: Path) -> None:
    load(pair)
    assert [str(movie) for movie in Movie.objects.search("千と千尋")] == ["Spirited Away (2001)"]
    assert Movie.objects.get(tmdb_id=129).is_niche
    assert str(Movie.objects.get(tmdb_id=19995).primary_genre) == "Drama"


def test_says_which_credits_are_missing(pair: Path) -> None:
    (pair / "tmdb_5000_credits.csv").unlink()
    assert load(pair / "tmdb_5000_movies.csv")["missing_files"] == ["tmdb_5000_credits.csv"]
    assert not MoviePerson.objects.exists()


def test_a_zip_gives_the_same(pair: Path, tmp_path: Path) -> None:
    archive = tmp_path / "tmdb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for name in ("tmdb_5000_movies.csv", "tmdb_5000_credits.csv"):
            files.write(pair / name, f"archive/{name}")
    assert load(archive)["credits"]["new"] == 4


@pytest.mark.parametrize("batch", [1, 500])
def test_fills_the_gaps_of_films_found_by_id_or_by_title_and_year(
    pair: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "BATCH", batch)
    by_id = make_movie("千と千尋の神隠し", tmdb_id=129, overview="Ours")
    by_title = make_movie("AVATAR", year=2009, genres=["Action"], movielens_id=72998)
    assert load(pair)["films"] == {"new": 0, "updated": 2, "unchanged": 0}
    by_id.refresh_from_db()
    by_title.refresh_from_db()
    assert (by_id.title, by_id.overview, by_id.year) == ("千と千尋の神隠し", "Ours", 2001)
    assert (by_title.tmdb_id, by_title.runtime, by_title.genre_names) == (19995, 162, ["Action"])


def test_a_film_that_several_could_be_is_left_out_and_listed(pair: Path) -> None:
    first, second = make_movie("Avatar", year=2009), make_movie("Avatar", year=2009)
    report = load(pair)
    listed = f"line 2: Avatar (2009) could be film {first.pk} or {second.pk}"
    assert report["ambiguous"] == {"count": 1, "listed": [listed]}
    assert (report["films"]["new"], report["credits"]["new"]) == (1, 0)
    assert set(Movie.objects.filter(title="Avatar").values_list("tmdb_id", flat=True)) == {None}


def test_two_rows_that_claim_a_film_by_its_title_do_not_get_it(pair: Path) -> None:
    make_movie("Avatar", year=2009)
    write(pair / "tmdb_5000_movies.csv", [MOVIES[0], MOVIES[0] | {"id": "4"}])
    assert load(pair)["ambiguous"]["count"] == 2
    assert Movie.objects.count() == 1


# --- movies_metadata.csv -------------------------------------------------------------------------

METADATA = (
    "adult,belongs_to_collection,budget,genres,id,imdb_id,original_language,original_title,overview,"
    "poster_path,production_countries,release_date,runtime,title,vote_average,vote_count\n"
    "False,\"{'id': 10194, 'name': 'Toy Story Collection', 'poster_path': None}\",30000000,"
    "\"[{'id': 16, 'name': 'Animation'}]\",862,tt0114709,en,Toy Story,Led by Woody.,/rhIRbceoE9lR.jpg,"
    "\"[{'iso_3166_1': 'US', 'name': 'United States of America'}]\",1995-10-30,81.0,Toy Story,7.7,5415.0\n"
    "False,,0,[],82663,tt0113002,en,Midnight Man,British soldiers\n"
    " - Written by somebody,/ff9.jpg,[],1997-08-20,104.0,Midnight Man,6.0,1.0\n"
    "True,,0,[],9,tt0000009,en,Something Adult,,,[],1999-01-01,0.0,Something Adult,0.0,0.0\n"
    "False,,0,[],862,tt0114709,en,Toy Story,Led by Woody.,,[],1995-10-30,81.0,Toy Story,7.7,5415.0\n"
)
PY_CREDITS = (
    "cast,crew,id\n\"[{'cast_id': 14, 'id': 31, 'name': 'Tom Hanks', 'order': 0, 'profile_path': None}]\","
    "\"[{'id': 7879, 'name': 'John Lasseter', 'job': 'Director'}]\",862\n"
)
PY_KEYWORDS = "id,keywords\n862,\"[{'id': 931, 'name': 'jealousy'}]\"\n5,[]\n"


@pytest.fixture
def metadata(tmp_path: Path) -> Path:
    """The folder of movies_metadata.csv, credits.csv and keywords.csv."""
    (tmp_path / "movies_metadata.csv").write_text(METADATA)
    (tmp_path / "credits.csv").write_text(PY_CREDITS)
    (tmp_path / "keywords.csv").write_text(PY_KEYWORDS)
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n")
    return tmp_path


def test_loads_movies_metadata_with_credits_keywords_and_series(metadata: Path) -> None:
    report = load(metadata)
    assert report["films"] == {"new": 2, "updated": 0, "unchanged": 0}
    film = Movie.objects.get(tmdb_id=862)
    facts = (film.imdb_id, film.poster_path, film.runtime, film.tmdb_vote_count)
    assert facts == ("tt0114709", "/rhIRbceoE9lR.jpg", 81, 5415)
    assert (report["credits"]["new"], report["keywords"]["new"]) == (2, 1)
    tails = Triple.objects.filter(head__movie=film).values_list("relation", "tail__kind", "tail__name")
    assert set(tails) == {
        ("series", "series", "Toy Story Collection"),
        ("country", "country", "United States of America"),
    }


def test_mends_its_broken_rows_and_leaves_adult_films_out(metadata: Path) -> None:
    report = load(metadata)
    assert report["bad_lines"] == {"count": 0, "listed": [], "mended": 1}
    assert report["skipped"]["adult films"] == 1
    film = Movie.objects.get(tmdb_id=82663)
    facts = (str(film), film.overview, film.poster_path, film.runtime)
    assert facts == ("Midnight Man (1997)", "British soldiers\n - Written by somebody", "/ff9.jpg", 104)


# --- Any other table -----------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_reads_any_table_by_the_names_of_its_columns(tmp_path: Path, separator: str) -> None:
    row = {
        "Name": "Heat",
        "Released": "15 December 1995",
        "Plot": "A group of robbers.",
        "Genre": "Crime; Thriller",
        "Language": "English",
        "Duration": "2h 50min",
        "Poster": "https://image.tmdb.org/t/p/w500/zMyfPUelumio3tiDKPffaUpsQTD.jpg",
        "Plot_Keywords": '["Heist", "Los Angeles"]',
        "Stars": "Al Pacino; Robert De Niro",
        "Director": "Michael Mann",
        "IMDb_ID": "113277",
    }
    assert load(write(tmp_path / "films.csv", [row], separator))["films"]["new"] == 1
    film = Movie.objects.get()
    facts = (str(film), film.overview, film.language, film.runtime, film.imdb_id)
    assert facts == ("Heat (1995)", "A group of robbers.", "en", 170, "tt0113277")
    assert film.poster_path == "/zMyfPUelumio3tiDKPffaUpsQTD.jpg"
    assert film.genre_names == ["Crime", "Thriller"]
    people = MoviePerson.objects.values_list("role", "position", "person__name")
    assert list(people) == [
        ("cast", 0, "Al Pacino"),
        ("cast", 1, "Robert De Niro"),
        ("director", 0, "Michael Mann"),
    ]


def test_a_table_of_titles_and_years_alone_loads_once(tmp_path: Path) -> None:
    table = write(
        tmp_path / "films.csv", [{"title": "Heat (1995)", "year": ""}, {"title": "Ran", "year": "1985"}]
    )
    assert load(table)["films"]["new"] == 2
    assert load(table)["result"] == "nothing changed: all of it was there already"


ROW = {
    "title": "Heat",
    "year": "1995",
    "id": "949",
    "genres": "Crime",
    "runtime": "170",
    "vote_average": "7.9",
}
ROW |= {"vote_count": "1,803", "language": "en", "imdb_id": "tt0113277", "keywords": "heist"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": " "}, "a title, but found ''"),
        ({"id": "000"}, "a whole number from 1 to 2147483647 as tmdb_id, but found '000'"),
        ({"id": "1997-08-20"}, "a whole number from 1 to 2147483647 as tmdb_id, but found '1997-08-20'"),
        ({"year": "soon"}, "a year or a date with a year from 1870 to 2100 as year, but found 'soon'"),
        (
            {"year": "1995 or 1996"},
            "a year or a date with a year from 1870 to 2100 as year, but found '1995 or 1996'",
        ),
        ({"id": "", "imdb_id": "", "year": ""}, "a year or an id beside the title, but found 'Heat'"),
        ({"imdb_id": "nm0000199"}, "an id of IMDb such as tt0114709 as imdb_id, but found 'nm0000199'"),
        ({"runtime": "nan"}, "a running time from 0 to 6000 minutes as runtime, but found 'nan'"),
        ({"vote_average": "79"}, "an average of votes from 0 to 10 as vote_average, but found '79'"),
        ({"vote_count": "-1"}, "a whole number from 0 to 2147483647 as vote_count, but found '-1'"),
        ({"language": "E.N."}, "a language such as en or English as language, but found 'E.N.'"),
        ({"genres": "[1, 2]"}, "a list of names as genres, but found '[1, 2]'"),
        ({"keywords": "[{'a'"}, "a list in JSON as keywords, but found \"[{'a'\""),
        ({"genres": "x" * 61}, f"names of at most 60 characters as genres, but found '{'x' * 60}…'"),
    ],
)
def test_refuses_a_bad_value_and_loads_nothing(
    tmp_path: Path, changes: dict[str, str], expected: str
) -> None:
    table = write(tmp_path / "films.csv", [ROW, ROW | changes])
    assert refusal(table) == f"films.csv, line 3: expected {expected}"
    assert not Movie.objects.exists()


def test_skips_bad_lines_counts_and_lists_them(tmp_path: Path) -> None:
    table = write(tmp_path / "films.csv", [ROW | {"id": "0"}, ROW, ROW | {"title": ""}])
    with table.open("a") as stream:
        stream.write("too,short\n" + '"never closed,1,1,1\n')
    report = load(table, "--skip-bad")
    assert report["films"]["new"] == 1
    assert report["bad_lines"]["count"] == 4
    assert report["bad_lines"]["listed"] == [
        "films.csv, line 2: expected a whole number from 1 to 2147483647 as tmdb_id, but found '0'",
        "films.csv, line 4: expected a title, but found ''",
        "films.csv, line 6: expected CSV with quotes closed, but unexpected end of data",
        "films.csv, line 5: expected 10 fields as in the header, but found '2: too'",
    ]


def test_refuses_a_table_without_films(tmp_path: Path) -> None:
    (tmp_path / "films.csv").write_text("a,b\n1,2\n")
    expected = "a header with a title and with year, release_date, tmdb_id or imdb_id"
    assert refusal(tmp_path) == f"films.csv, line 1: expected {expected}, but found 'a,b'"
    (tmp_path / "films.csv").write_text("")
    assert refusal(tmp_path) == "films.csv, line 1: expected a header with the names of columns, but found ''"


def test_refuses_credits_of_another_kind(pair: Path) -> None:
    (pair / "tmdb_5000_credits.csv").write_text("a,b\n1,2\n")
    expected = "a header with id or movie_id, and cast and crew, but found 'a,b'"
    assert refusal(pair) == f"tmdb_5000_credits.csv, line 1: expected {expected}"
    write(pair / "tmdb_5000_credits.csv", [CREDITS[0] | {"cast": "[1]"}])
    assert (
        refusal(pair)
        == "tmdb_5000_credits.csv, line 2: expected people with a name and an id as cast and crew"
    )
    assert not Movie.objects.exists()


def test_refuses_a_place_that_is_not_there_or_holds_too_much(tmp_path: Path) -> None:
    nowhere = Path("/nowhere/films.csv")
    assert (
        refusal(nowhere) == f"There is no folder or file {nowhere}; give a CSV, or a folder or zip with one"
    )
    for name in "ab":
        write(tmp_path / f"{name}.csv", [ROW])
    known = "tmdb_5000_movies.csv and no movies_metadata.csv"
    assert refusal(tmp_path) == f"{tmp_path} holds no {known}, and 2 CSV files: name the one of films"
