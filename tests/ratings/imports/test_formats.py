"""What the files of each site say, row by row."""

from datetime import UTC, datetime

import pytest
import time_machine

from apps.core.errors import InvalidInput
from apps.ratings.imports.entries import Entry, FilmIds
from apps.ratings.imports.reading import Reading, read_upload, scale_of
from apps.ratings.models import Import
from tests.ratings.imports import files
from tests.ratings.imports.files import as_json, as_zip, named_row, table

Site = Import.Site


def said(entry: Entry) -> tuple[object, ...]:
    return (
        entry.kind,
        entry.state,
        entry.at and f"{entry.at:%Y-%m-%d %H:%M}",
        entry.title,
        entry.year,
        entry.ids,
    )


def read(name: str, data: bytes) -> Reading:
    return read_upload(name, data)


# --- Letterboxd ----------------------------------------------------------------------------------


def test_letterboxd_ratings_keep_their_half_stars_and_days() -> None:
    rows = (
        "2024-01-02,The Matrix,1999,https://boxd.it/2a1m,4.5",
        "2024-01-03,Cats,2019,https://boxd.it/x,0.5",
    )
    reading = read("ratings.csv", table(files.LETTERBOXD_RATINGS, *rows))
    assert reading.site == Site.LETTERBOXD
    assert [said(entry) for entry in reading.entries] == [
        ("rating", 4.5, "2024-01-02 00:00", "The Matrix", 1999, FilmIds()),
        ("rating", 0.5, "2024-01-03 00:00", "Cats", 2019, FilmIds()),
    ]
    assert [entry.line for entry in reading.entries] == [2, 3]


def test_a_letterboxd_diary_gives_the_films_that_were_rated() -> None:
    rows = (
        "2024-01-02,Alien,1979,https://boxd.it/a,4,,,2024-01-01",
        '2024-01-03,Heat,1995,https://boxd.it/b,,Yes,"a, b",2024-01-02',
    )
    reading = read("diary.csv", table(files.LETTERBOXD_DIARY, *rows))
    assert [(entry.title, entry.state) for entry in reading.entries] == [("Alien", 4.0)]
    assert reading.skipped == {"without a rating": 1}


@pytest.mark.parametrize("name", ["watchlist.csv", "watchlist (1).csv", "my-Watchlist.CSV"])
def test_a_letterboxd_watchlist_goes_by_its_name(name: str) -> None:
    data = table(files.LETTERBOXD_WATCHLIST, "2024-01-02,Ran,1985,https://boxd.it/a")
    assert [said(entry)[:2] for entry in read(name, data).entries] == [("watchlist", 1.0)]


def test_the_letterboxd_zip_gives_ratings_diary_and_watchlist_and_not_what_was_deleted() -> None:
    data = as_zip(
        {
            "ratings.csv": table(files.LETTERBOXD_RATINGS, "2024-01-02,Alien,1979,,4.5"),
            "diary.csv": table(files.LETTERBOXD_DIARY, "2024-01-02,Heat,1995,,3,,,2024-01-01"),
            "watchlist.csv": table(files.LETTERBOXD_WATCHLIST, "2024-01-02,Ran,1985,"),
            "watched.csv": table(files.LETTERBOXD_WATCHLIST, "2024-01-02,Cats,2019,"),
            "deleted/diary.csv": table(files.LETTERBOXD_DIARY, "2024-01-02,Gone,2001,,1,,,2024-01-01"),
            "orphaned/diary.csv": b"whatever",
            "likes/reviews.csv": b"whatever",
            "profile.csv": b"Date Joined,Username\n2020-01-01,ada\n",
        }
    )
    reading = read("letterboxd-ada.zip", data)
    assert {(entry.kind, entry.title) for entry in reading.entries} == {
        ("rating", "Alien"),
        ("rating", "Heat"),
        ("watchlist", "Ran"),
    }


def test_a_zip_that_was_packed_anew_may_have_a_folder_around_it() -> None:
    files_of_mine = {"export/ratings.csv": table(files.LETTERBOXD_RATINGS, "2024-01-02,Alien,1979,,4.5")}
    assert len(read("a.zip", as_zip({**files_of_mine, "__MACOSX/x": b""})).entries) == 1


# --- IMDb ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [files.IMDB_2024, files.IMDB_2018])
def test_imdb_points_are_halved(header: str) -> None:
    cells = {"const": "tt0133093", "yourrating": "9", "daterated": "2024-03-15", "title": "The Matrix"}
    row = named_row(header, **cells, titletype="Movie", year="1999")
    reading = read("ratings.csv", table(header, row))
    assert reading.site == Site.IMDB
    assert [said(entry) for entry in reading.entries] == [
        ("rating", 4.5, "2024-03-15 00:00", "The Matrix", 1999, FilmIds(imdb="tt0133093"))
    ]


def test_imdb_ratings_of_before_2018_are_dated_by_the_day_that_made_them() -> None:
    cells = {
        "const": "tt0119094",
        "created": "Sat Jan  3 00:00:00 2015",
        "title": "Face/Off",
        "yourated": "7",
    }
    row = named_row(files.IMDB_2012, **cells, titletype="Feature Film", year="1997")
    [entry] = read("ratings.csv", table(files.IMDB_2012, row)).entries
    assert said(entry)[1:5] == (3.5, "2015-01-03 00:00", "Face/Off", 1997)


def test_an_imdb_watchlist_holds_what_is_to_be_seen_and_what_was_rated() -> None:
    rows = (
        named_row(files.IMDB_LIST, const="tt0078748", created="2024-02-01", title="Alien", year="1979"),
        named_row(files.IMDB_LIST, const="tt0113277", title="Heat", yourrating="10", daterated="2024-02-03"),
    )
    entries = read("WATCHLIST.csv", table(files.IMDB_LIST, *rows)).entries
    assert [said(entry)[:3] for entry in entries] == [
        ("watchlist", 1.0, "2024-02-01 00:00"),
        ("rating", 5.0, "2024-02-03 00:00"),
    ]
    other = read("top-horror.csv", table(files.IMDB_LIST, *rows))
    assert [entry.kind for entry in other.entries] == ["rating"]
    assert other.skipped == {"without a rating": 1}


@pytest.mark.parametrize(
    "kind", ["TV Series", "tvSeries", "tvEpisode", "TV Mini Series", "Mini-Series", "Video Game"]
)
def test_imdb_series_episodes_and_games_are_left_out(kind: str) -> None:
    row = named_row(
        files.IMDB_2024, const="tt0903747", yourrating="10", title="Fargo", titletype=kind, year="1996"
    )
    reading = read("ratings.csv", table(files.IMDB_2024, row))
    assert reading.entries == []
    assert reading.skipped == {"series, episodes and others that are no films": 1}


# --- Trakt ---------------------------------------------------------------------------------------


def trakt(kind: str = "movie", **values: object) -> dict[str, object]:
    ids = {"trakt": 12601, "slug": "alien-1979", "imdb": "tt0078748", "tmdb": 348}
    return {"type": kind, kind: {"title": "Alien", "year": 1979, "ids": ids}, **values}


def test_trakt_json_gives_ids_and_moments() -> None:
    ratings = [
        trakt(rated_at="2024-05-06T07:08:09.000Z", rating=7),
        trakt("show", rated_at="2024-05-06T07:08:09.000Z"),
    ]
    reading = read("ratings-movies.json", as_json(ratings))
    assert reading.site == Site.TRAKT
    [entry] = reading.entries
    assert entry.at == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert said(entry)[:2] == ("rating", 3.5)
    assert (entry.title, entry.year, entry.ids) == ("Alien", 1979, FilmIds(imdb="tt0078748", tmdb=348))
    assert reading.skipped == {"series, episodes and others that are no films": 1}


def test_trakt_csv_says_the_same() -> None:
    cells = {"ratedat": "2018-08-24T13:48:52Z", "type": "movie", "title": "Alien", "year": "1979"}
    row = named_row(files.TRAKT_RATINGS, **cells, imdbid="tt0078748", tmdbid="348", rating="10")
    [entry] = read("ratings.csv", table(files.TRAKT_RATINGS, row)).entries
    assert said(entry) == (
        "rating",
        5.0,
        "2018-08-24 13:48",
        "Alien",
        1979,
        FilmIds(imdb="tt0078748", tmdb=348),
    )


def test_a_trakt_watchlist_comes_as_csv_or_json() -> None:
    row = named_row(
        files.TRAKT_WATCHLIST, listedat="2024-01-01T00:00:00Z", type="movie", title="Alien", year="1979"
    )
    [entry] = read("watchlist.csv", table(files.TRAKT_WATCHLIST, row)).entries
    [other] = read("lists-watchlist.json", as_json([trakt(listed_at="2024-01-01T00:00:00Z", rank=1)])).entries
    assert said(entry)[:5] == said(other)[:5] == ("watchlist", 1.0, "2024-01-01 00:00", "Alien", 1979)


@pytest.mark.parametrize(
    "paths",
    [
        ("ratings-movies.json", "lists-watchlist-1.json"),
        ("ada/ratings/ratings-movies.json", "ada/lists/watchlist.json"),
    ],
)
def test_both_layouts_of_the_trakt_zip_are_read(paths: tuple[str, str]) -> None:
    ratings = as_json([trakt(rated_at="2024-05-06T07:08:09Z", rating=8)])
    listed = as_json([trakt(listed_at="2024-05-06T07:08:09Z")])
    folder = "ada/watched/" if "/" in paths[0] else ""
    data = as_zip({paths[0]: ratings, paths[1]: listed, f"{folder}watched-movies.json": b"no JSON"})
    assert {entry.kind for entry in read("trakt.zip", data).entries} == {"rating", "watchlist"}


# --- MovieLens -----------------------------------------------------------------------------------


def test_movielens_org_gives_three_ids_and_no_date() -> None:
    rows = ('2571,0133093,603,4.5,4.15,"Matrix, The (1999)"', "1,0114709,,0.5,3.9,Toy Story (1995)")
    reading = read("movielens-ratings.csv", table(files.MOVIELENS_SITE, *rows))
    assert reading.site == Site.MOVIELENS
    assert [said(entry) for entry in reading.entries] == [
        ("rating", 4.5, None, "Matrix, The (1999)", None, FilmIds(None, "tt0133093", 603, 2571)),
        ("rating", 0.5, None, "Toy Story (1995)", None, FilmIds(None, "tt0114709", None, 1)),
    ]


def test_the_rows_of_one_person_of_a_data_set_give_moments() -> None:
    [entry] = read("ratings.csv", table(files.MOVIELENS_SET, "7,2571,4.0,964982703")).entries
    assert entry.at == datetime(2000, 7, 30, 18, 45, 3, tzinfo=UTC)
    assert (entry.state, entry.ids) == (4.0, FilmIds(movielens=2571))


# --- Marquee -------------------------------------------------------------------------------------


def test_our_own_csv_comes_back_without_the_spreadsheets_apostrophes() -> None:
    header = "movie_id,title,year,imdb_id,tmdb_id,movielens_id,direction,changed_at"
    rows = (
        "5,'-30-,1959,,,,-1,2026-03-01T12:00:00Z",
        "6,'night Mother,1986,tt0090556,,,1,2026-03-01T12:00:00Z",
    )
    first, second = read("thumbs.csv", table(header, *rows)).entries
    assert said(first)[:2] == ("thumb", -1.0)
    assert (first.title, first.ids) == ("-30-", FilmIds(5))
    assert (second.title, second.ids) == ("'night Mother", FilmIds(6, "tt0090556"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("favorites.csv", "favorite"),
        ("watchlist.csv", "watchlist"),
        ("dismissals.csv", "dismissal"),
        ("unseen.csv", "unseen"),
    ],
)
def test_our_own_lists_go_by_their_names(name: str, kind: str) -> None:
    rows = ("5,Ran,1985,True,2026-03-01T12:00:00.5Z", "6,Heat,1995,False,2026-03-01T12:00:00Z")
    entries = read(name, table("movie_id,title,year,is_active,changed_at", *rows)).entries
    assert [(entry.kind, entry.state) for entry in entries] == [(kind, 1.0), (kind, 0.0)]


def test_a_rating_that_was_taken_back_comes_back_as_that() -> None:
    data = table("movie_id,title,year,value,changed_at", "5,Ran,1985,,2026-03-01T12:00:00Z")
    assert [entry.state for entry in read("ratings.csv", data).entries] == [None]


# --- What all have in common ---------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1"])
def test_reads_what_windows_and_unix_write(encoding: str) -> None:
    text = f"{files.LETTERBOXD_RATINGS}\r\n2024-01-02,Amélie,2001,,4\r\n\r\n"
    [entry] = read("ratings.csv", text.encode(encoding)).entries
    assert entry.title == "Amélie"


def test_columns_may_stand_in_any_order_and_case() -> None:
    data = table("RATING,year,Name,extra,Letterboxd URI,date", "4,1979, Alien ,?,,2024-01-02")
    assert [said(entry)[:2] + said(entry)[3:5] for entry in read("a.csv", data).entries] == [
        ("rating", 4.0, "Alien", 1979)
    ]


def test_says_what_becomes_of_each_sites_points() -> None:
    assert {site: scale_of(site) for site in Site} == {
        Site.MARQUEE: "These are our own half stars: they stay as they are.",
        Site.LETTERBOXD: "Letterboxd has half stars from ½ to 5, as we do: they stay as they are.",
        Site.IMDB: "IMDb has points from 1 to 10: two points are one star, so 7 becomes 3½ stars.",
        Site.TRAKT: "Trakt has points from 1 to 10: two points are one star, so 7 becomes 3½ stars.",
        Site.MOVIELENS: "MovieLens has half stars from ½ to 5, as we do: they stay as they are.",
    }


def test_a_day_may_have_begun_elsewhere_and_counts_as_now_here() -> None:
    with time_machine.travel(datetime(2026, 3, 14, 20, tzinfo=UTC), tick=False):
        data = table(files.LETTERBOXD_RATINGS, "2026-03-15,Alien,1979,,4")
        assert read("ratings.csv", data).entries[0].at == datetime(2026, 3, 14, 20, tzinfo=UTC)
        with pytest.raises(InvalidInput):
            read("ratings.csv", data.replace(b"03-15", b"03-16"))
