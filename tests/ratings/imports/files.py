"""Files as the sites write them: their own columns, with rows made up here."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

IMDB_2024 = (
    "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres,"
    "Num Votes,Release Date,Directors"
)
IMDB_2018 = (
    "Const,Your Rating,Date Rated,Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres,Num Votes,"
    "Release Date,Directors"
)
IMDB_2012 = (
    '"position","const","created","modified","description","Title","Title type","Directors","You rated",'
    '"IMDb Rating","Runtime (mins)","Year","Genres","Num. Votes","Release Date (month/day/year)","URL"'
)
IMDB_LIST = (
    "Position,Const,Created,Modified,Description,Title,Original Title,URL,Title Type,IMDb Rating,"
    "Runtime (mins),Year,Genres,Num Votes,Release Date,Directors,Your Rating,Date Rated"
)
LETTERBOXD_RATINGS = "Date,Name,Year,Letterboxd URI,Rating"
LETTERBOXD_DIARY = "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date"
LETTERBOXD_WATCHLIST = "Date,Name,Year,Letterboxd URI"
MOVIELENS_SITE = "movie_id,imdb_id,tmdb_id,rating,average_rating,title"
MOVIELENS_SET = "userId,movieId,rating,timestamp"
TRAKT_RATINGS = (
    "rated_at,type,title,year,trakt_rating,trakt_id,imdb_id,tmdb_id,tvdb_id,url,released,season_number,"
    "episode_number,episode_title,episode_released,episode_trakt_rating,episode_trakt_id,episode_imdb_id,"
    "episode_tmdb_id,episode_tvdb_id,genres,rating"
)
TRAKT_WATCHLIST = (
    "rank,listed_at,type,title,year,trakt_id,imdb_id,tmdb_id,tvdb_id,url,released,runtime,season_number,"
    "season_trakt_id,season_tmdb_id,season_tvdb_id,episode_number,episode_title,episode_released,"
    "episode_trakt_id,episode_imdb_id,episode_tmdb_id,episode_tvdb_id,genres"
)


def table(header: str, *rows: str) -> bytes:
    return "".join(f"{line}\n" for line in (header, *rows)).encode()


def named_row(header: str, **cells: str) -> str:
    """A row with these cells and the others empty; a column goes by its letters in lower case."""
    columns = ["".join(filter(str.isalnum, name.lower())) for name in header.replace('"', "").split(",")]
    assert set(cells) <= set(columns), set(cells) - set(columns)
    return ",".join(f'"{cells[name]}"' if name in cells else "" for name in columns)


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def as_zip(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()
