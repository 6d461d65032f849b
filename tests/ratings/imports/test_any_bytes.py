"""Whatever is sent is read or refused with a sentence; nothing else ever happens."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from apps.core.errors import ApplicationError
from apps.ratings.imports.reading import read_upload
from tests.ratings.imports import files
from tests.ratings.imports.files import as_json, as_zip, table

RATED = {
    "rated_at": "2024-01-01T00:00:00Z",
    "rating": 8,
    "type": "movie",
    "movie": {"title": "Heat", "year": 1995, "ids": {"imdb": "tt0113277", "tmdb": 949}},
}
GOOD = {
    "ratings.csv": table(files.LETTERBOXD_RATINGS, "2024-01-02,Heat,1995,https://boxd.it/a,4.5"),
    "imdb.csv": table(files.IMDB_2018, 'tt0113277,9,2024-01-02,"Heat",,Movie,8.3,170,1995,"Crime",1,,"M"'),
    "movielens-ratings.csv": table(files.MOVIELENS_SITE, '6,0113277,949,4.5,4.1,"Heat (1995)"'),
    "ml.csv": table(files.MOVIELENS_SET, "1,6,4.5,964982703"),
    "ratings-movies.json": as_json([RATED]),
    "thumbs.csv": table("movie_id,title,year,direction,changed_at", "6,Heat,1995,-1,2024-01-02T00:00:00Z"),
}
ZIP = as_zip({"ratings.csv": GOOD["ratings.csv"], "diary.csv": GOOD["ratings.csv"]})
NAMES = st.sampled_from([*GOOD, "watchlist.csv", "favorites.json", "a.zip"])


def is_read_or_refused(name: str, data: bytes) -> bool:
    try:
        return bool(read_upload(name, data).site)
    except ApplicationError as refusal:
        return bool(refusal.detail)


@settings(max_examples=300)
@given(name=NAMES, data=st.binary(max_size=300))
@example(name="a.zip", data=b"PK\x03\x04")
@example(name="a.csv", data=b'"')
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    assert is_read_or_refused(name, data)


CHANGES = st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 255)), min_size=1, max_size=6)


@settings(max_examples=600)
@given(
    source=st.sampled_from([*GOOD.values(), ZIP, ZIP, ZIP]),
    name=NAMES,
    changes=CHANGES,
    cut=st.integers(0, 2_000),
)
def test_a_file_that_was_altered_is_read_or_refused(
    source: bytes, name: str, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(source)
    for place, value in changes:
        data[place % len(data)] = value
    assert is_read_or_refused(name, bytes(data[: cut or None]))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["movie", "tt1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "rated_at",
        "rating",
        "type",
        "movie",
        "title",
        "year",
        "ids",
        "movie_id",
        "value",
        "changed_at",
        "is_active",
    ]
)


@settings(max_examples=300)
@given(name=NAMES, entries=st.lists(st.dictionaries(FIELDS, VALUES, max_size=8) | VALUES, max_size=3))
def test_any_json_is_read_or_refused(name: str, entries: list[object]) -> None:
    assert is_read_or_refused(name, as_json(entries))
