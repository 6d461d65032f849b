"""A preview, a rule, and what is written."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.core.errors import Conflict, InvalidInput, NotFound, TooLarge, TooMany
from apps.events.models import Feedback
from apps.ratings.imports.applying import apply_import
from apps.ratings.imports.own import own_import, samples_of, unmatched_csv
from apps.ratings.models import Favorite, Import, ImportRow, Rating, WatchlistItem
from apps.ratings.services import record_preference, set_rating, withdraw_rating
from apps.training.backlog import backlog
from tests.factories import make_movie, make_rating, make_user, preview_file
from tests.ratings.imports import files
from tests.ratings.imports.files import as_zip, table

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def ratings(**days: str) -> bytes:
    """``Heat="2026-03-01 4.5"``: a rating of each film of 1995."""
    rows = (f"{said.split()[0]},{title},1995,,{said.split()[1]}" for title, said in days.items())
    return table(files.LETTERBOXD_RATINGS, *rows)


def counted(movie: Movie) -> tuple[float, int]:
    return Movie.objects.values_list("rating_sum", "rating_count").get(pk=movie.pk)


def stars_of(user: User) -> dict[str, float | None]:
    return dict(Rating.objects.of(user.pk).order_by("movie__title").values_list("movie__title", "value"))


@pytest.fixture
def viewer() -> User:
    return make_user()


@pytest.fixture
def films() -> dict[str, Movie]:
    return {title: make_movie(title, year=1995) for title in ("Heat", "Casino", "Seven", "Babe")}


# --- The preview ---------------------------------------------------------------------------------


def test_a_preview_counts_what_would_happen_and_changes_nothing(
    viewer: User, films: dict[str, Movie]
) -> None:
    make_rating(viewer, films["Casino"], 4.0, at=MARCH)
    make_rating(viewer, films["Seven"], 2.0, at=MARCH)
    make_rating(viewer, films["Babe"], 2.0, at=MARCH)
    data = ratings(
        Heat="2026-01-01 4",
        Casino="2020-01-01 4",
        Seven="2026-04-01 5",
        Babe="2026-02-01 5",
        Gone="2026-01-01 1",
    )
    made = preview_file(data, user=viewer)
    assert (made.n_new, made.n_unchanged, made.n_conflicts, made.n_newer, made.n_unmatched) == (1, 1, 2, 1, 1)
    assert {rule: made.changed_by(rule) for rule in Import.Rule} == {"mine": 0, "file": 2, "newer": 1}
    assert stars_of(viewer) == {"Babe": 2.0, "Casino": 4.0, "Seven": 2.0}
    samples = samples_of(made)
    assert [row.title for row in samples[ImportRow.Status.CONFLICT]] == ["Seven", "Babe"]
    assert [(row.title, row.why) for row in samples[ImportRow.Status.UNMATCHED]] == [
        ("Gone", "no film of this title and year")
    ]


def test_shows_the_first_ten_rows_of_each_kind(viewer: User) -> None:
    data = ratings(**{f"Gone{number}": "2026-01-01 1" for number in range(12)})
    made = preview_file(data, user=viewer)
    [rows] = samples_of(made).values()
    assert [row.line for row in rows] == list(range(2, 12))


def test_of_two_rows_about_a_film_the_later_counts(viewer: User, films: dict[str, Movie]) -> None:
    rows = ("2026-02-01,Heat,1995,,2", "2026-03-01,Heat,1995,,4", "2026-01-01,Heat,1995,,1")
    made = preview_file(table(files.LETTERBOXD_RATINGS, *rows), user=viewer)
    assert (made.n_new, made.n_repeated) == (1, 2)
    assert made.rows.get().state == 4.0


def test_letterboxds_rating_of_now_counts_before_its_diary(viewer: User, films: dict[str, Movie]) -> None:
    data = as_zip(
        {
            "ratings.csv": table(files.LETTERBOXD_RATINGS, "2024-01-01,Heat,1995,,5"),
            "diary.csv": table(
                files.LETTERBOXD_DIARY,
                "2025-01-01,Heat,1995,,3,Yes,,2025-01-01",
                "2025-01-02,Seven,1995,,4,,,2025-01-02",
            ),
        }
    )
    made = preview_file(data, "letterboxd.zip", user=viewer)
    apply_import(user=viewer, import_id=made.pk, rule="newer")
    assert stars_of(viewer) == {"Heat": 5.0, "Seven": 4.0}


def test_a_preview_that_was_not_applied_gives_way_to_the_next(viewer: User, films: dict[str, Movie]) -> None:
    first = preview_file(ratings(Heat="2026-01-01 4"), user=viewer)
    apply_import(user=viewer, import_id=first.pk, rule="mine")
    second = preview_file(ratings(Heat="2026-01-01 5"), user=viewer)
    theirs = preview_file(ratings(Heat="2026-01-01 5"))
    third = preview_file(ratings(Heat="2026-01-01 3"), user=viewer)
    assert set(Import.objects.values_list("pk", flat=True)) == {first.pk, theirs.pk, third.pk}
    with pytest.raises(NotFound, match=f"There is no import {second.pk} of yours"):
        own_import(viewer, second.pk)


def test_refuses_a_file_that_is_too_large(viewer: User, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 2**20
    with pytest.raises(TooLarge, match="A file has at most 1 MB, and this one has more"):
        preview_file(b"x" * (2**20 + 1), user=viewer)


@pytest.mark.parametrize(
    ("scope", "sentence"),
    [
        ("import", "Too many files: try again in"),
        ("import_address", "Too many files from this address: try again in"),
    ],
)
def test_refuses_too_many_files(viewer: User, settings: Any, scope: str, sentence: str) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {scope: "1/h"}
    preview_file(ratings(Heat="2026-01-01 4"), user=viewer)
    with pytest.raises(TooMany, match=sentence):
        preview_file(ratings(Heat="2026-01-01 4"), user=viewer)


# --- Unmatched rows ------------------------------------------------------------------------------


def test_gives_back_what_was_not_found_and_no_spreadsheet_runs_it(viewer: User) -> None:
    rows = [
        f'2026-01-0{day},"{title}",2001,,3'
        for day, title in enumerate(["=1+1", "+1", "-1", "@a", "plain"], 1)
    ]
    made = preview_file(table(files.LETTERBOXD_RATINGS, *rows), user=viewer)
    lines = "".join(unmatched_csv(made)).splitlines()
    assert lines[0] == "file,line,kind,title,year,imdb_id,tmdb_id,movielens_id,rating,rated_at,why"
    assert (
        lines[1]
        == "ratings.csv,2,rating,'=1+1,2001,,,,3.0,2026-01-01T00:00:00Z,no film of this title and year"
    )
    assert [line.split(",")[3] for line in lines[1:]] == ["'=1+1", "'+1", "'-1", "'@a", "plain"]


# --- Rules ---------------------------------------------------------------------------------------

RULES = [
    ("mine", {"Babe": 2.0, "Casino": None, "Heat": 4.0, "Seven": 2.0}, (1, 0, 3)),
    ("file", {"Babe": 5.0, "Casino": 3.0, "Heat": 4.0, "Seven": 5.0}, (1, 3, 0)),
    ("newer", {"Babe": 2.0, "Casino": None, "Heat": 4.0, "Seven": 5.0}, (1, 1, 2)),
]


@pytest.mark.parametrize(("rule", "expected", "numbers"), RULES, ids=["mine", "file", "newer"])
def test_the_rule_decides_where_viewer_and_file_differ(
    viewer: User, films: dict[str, Movie], rule: str, expected: dict[str, Any], numbers: tuple[int, ...]
) -> None:
    make_rating(viewer, films["Seven"], 2.0, at=MARCH)
    make_rating(viewer, films["Babe"], 2.0, at=MARCH)
    make_rating(viewer, films["Casino"], 4.0, at=MARCH)
    withdraw_rating(user=viewer, movie=films["Casino"], at=MARCH + timedelta(days=1))
    data = ratings(Heat="2026-01-01 4", Seven="2026-04-01 5", Babe="2026-02-01 5", Casino="2026-02-01 3")
    made = preview_file(data, user=viewer)
    done = apply_import(user=viewer, import_id=made.pk, rule=rule)
    assert stars_of(viewer) == expected
    assert (done.n_added, done.n_changed, done.n_kept) == numbers
    for title, film in films.items():
        assert counted(film) == (expected[title] or 0.0, int(expected[title] is not None)), title


def test_what_has_no_date_is_never_the_newer_and_is_rated_now(viewer: User, films: dict[str, Movie]) -> None:
    make_rating(viewer, films["Seven"], 2.0, at=MARCH)
    rows = (",,,5,4,Seven (1995)", ",,,5,4,Heat (1995)")
    made = preview_file(table(files.MOVIELENS_SITE, *rows), user=viewer)
    before = timezone.now()
    apply_import(user=viewer, import_id=made.pk, rule="newer")
    assert stars_of(viewer) == {"Heat": 5.0, "Seven": 2.0}
    assert Rating.objects.get(movie=films["Heat"]).changed_at >= before


def test_keeps_when_it_was_rated(viewer: User, films: dict[str, Movie]) -> None:
    made = preview_file(ratings(Heat="2019-05-06 4"), user=viewer)
    apply_import(user=viewer, import_id=made.pk, rule="newer")
    assert Rating.objects.get().changed_at == datetime(2019, 5, 6, tzinfo=UTC)


def test_a_watchlist_goes_onto_the_watchlist(viewer: User, films: dict[str, Movie]) -> None:
    data = table(files.LETTERBOXD_WATCHLIST, "2024-01-02,Heat,1995,")
    made = preview_file(data, "watchlist.csv", user=viewer)
    apply_import(user=viewer, import_id=made.pk, rule="newer")
    assert WatchlistItem.objects.get(user=viewer).movie == films["Heat"]
    assert not Rating.objects.exists()


def test_everything_of_our_own_export_comes_back(viewer: User, films: dict[str, Movie]) -> None:
    record_preference(user_id=viewer.pk, movie_id=films["Heat"].pk, kind="favorite", value=None, at=MARCH)
    data = table(
        "movie_id,title,year,is_active,changed_at", f"{films['Heat'].pk},Heat,1995,false,2026-04-01T00:00:00Z"
    )
    made = preview_file(data, "favorites.csv", user=viewer)
    assert made.n_conflicts == made.n_newer == 1
    apply_import(user=viewer, import_id=made.pk, rule="newer")
    assert not Favorite.objects.get().is_active


# --- Applying ------------------------------------------------------------------------------------


def test_applying_once_more_does_nothing_more(viewer: User, films: dict[str, Movie]) -> None:
    made = preview_file(ratings(Heat="2026-01-01 4"), user=viewer)
    first = apply_import(user=viewer, import_id=made.pk, rule="newer")
    set_rating(user=viewer, movie=films["Heat"], value=1.0, at=timezone.now())
    again = apply_import(user=viewer, import_id=made.pk, rule="newer")
    assert (again.applied_at, again.n_added) == (first.applied_at, 1)
    assert stars_of(viewer) == {"Heat": 1.0}
    assert counted(films["Heat"]) == (1.0, 1)


def test_refuses_another_rule_an_unknown_one_and_an_import_of_somebody_else(
    viewer: User, films: dict[str, Movie]
) -> None:
    made = preview_file(ratings(Heat="2026-01-01 4"), user=viewer)
    with pytest.raises(InvalidInput, match="A rule is one of mine, file, newer"):
        apply_import(user=viewer, import_id=made.pk, rule="theirs")
    with pytest.raises(NotFound, match=f"There is no import {made.pk} of yours"):
        apply_import(user=make_user(), import_id=made.pk, rule="mine")
    apply_import(user=viewer, import_id=made.pk, rule="mine")
    sentence = "This import was applied with the rule “Keep mine”: undo it first, then send the file again"
    with pytest.raises(Conflict, match=sentence):
        apply_import(user=viewer, import_id=made.pk, rule="file")


def test_compares_anew_with_what_was_said_since_the_preview(viewer: User, films: dict[str, Movie]) -> None:
    made = preview_file(ratings(Heat="2026-01-01 4", Seven="2026-01-01 4"), user=viewer)
    make_rating(viewer, films["Heat"], 1.0, at=MARCH)
    done = apply_import(user=viewer, import_id=made.pk, rule="newer")
    assert stars_of(viewer) == {"Heat": 1.0, "Seven": 4.0}
    assert (done.n_added, done.n_changed, done.n_kept) == (1, 0, 1)


def test_is_no_feedback_and_counts_for_the_next_update(viewer: User, films: dict[str, Movie]) -> None:
    waiting = backlog("standard").buffer_size
    made = preview_file(ratings(Heat="2020-01-01 4", Seven="2020-01-01 4"), user=viewer)
    assert backlog("standard").buffer_size == waiting
    apply_import(user=viewer, import_id=made.pk, rule="newer")
    assert backlog("standard").buffer_size == waiting + 2
    assert not Feedback.objects.exists()


def test_keeps_a_title_on_one_line_whatever_the_file_had(viewer: User) -> None:
    data = files.as_json(
        [
            {
                "rated_at": "2026-01-01T00:00:00Z",
                "rating": 8,
                "type": "movie",
                "movie": {"title": 'a\n\\.\n\x1fNULL\x1f, "b"', "year": 1995},
            }
        ]
    )
    made = preview_file(data, "ratings-movies.json", user=viewer)
    assert made.rows.get().title == 'a \\. NULL , "b"'
