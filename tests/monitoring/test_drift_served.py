"""Scores and films at the head of counted lists, beside lists of before the training."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from apps.catalog.models import Movie
from apps.events.models import RecommendationEvent, Slate
from apps.monitoring.drift import served
from apps.monitoring.models import DriftDay
from apps.monitoring.services import record_drift
from tests.factories import make_movie
from tests.monitoring.drifting import (
    DAY,
    NOON,
    TRAINED,
    by_subject,
    impression,
    make_version,
    show,
)

pytestmark = pytest.mark.django_db

BEFORE = TRAINED - timedelta(days=3)
RNG = np.random.default_rng(11)


@pytest.fixture
def film(db: None) -> Movie:
    make_version()
    return make_movie(genres=["Comedy"])


def scores(n: int = 200, *, mean: float = 20.0) -> "np.typing.NDArray[np.float64]":
    """The same quantiles of a normal each time, so that two samples of a mean are equal."""
    return np.random.default_rng(1).permutation(mean + np.linspace(-2, 2, n))


def drift() -> dict[str, DriftDay]:
    return by_subject(record_drift(recipe="standard", day=DAY))


def test_lists_scored_as_before_show_no_drift(film: Movie) -> None:
    show(film, scores(), at=BEFORE)
    show(film, scores())
    found = drift()
    for subject in ("scores", "scores_hybrid"):
        row = found[subject]
        assert (row.psi, row.status) == (pytest.approx(0, abs=1e-12), "ok")
        assert (row.n_training, row.n_now) == (200, 200)
        assert [one["training"] for one in row.bins] == [0.2] * 5


def test_other_scores_do_and_say_of_which_arm(film: Movie) -> None:
    for at, mean in ((BEFORE, 20.0), (NOON, 21.0)):
        show(film, scores(mean=mean), at=at)
        show(film, scores(mean=0.5), at=at, arm="svd")
    found = drift()
    assert found["scores_hybrid"].has_drifted
    assert found["scores_hybrid"].psi > found["scores"].psi > 0
    assert found["scores_svd"].psi == pytest.approx(0, abs=1e-12)
    assert [one["bin"] for one in found["scores"].bins] == list(served.FIFTHS)


def test_who_comes_and_which_arm_serves_them_is_no_drift(film: Movie) -> None:
    """Scores of those who rated some and of those who rated much differ, and so do those of arms."""
    groups = [("hybrid", "regular", 22.0), ("hybrid", "power", 17.0), ("svd", "power", 0.05)]
    for at, sizes in ((BEFORE, (150, 60, 60)), (NOON, (60, 60, 150))):
        for (arm, segment, mean), n in zip(groups, sizes, strict=True):
            show(film, scores(n, mean=mean), at=at, arm=arm, segment=segment)
    found = drift()
    assert found["scores"].psi < 0.01
    assert found["scores_hybrid"].psi < 0.01
    # Mixed as now: few of those before are worth as much as many of them.
    assert found["scores"].n_training == 270
    assert found["scores"].on_nothing > 4 * (1 / 270 + 1 / 270)


def test_films_shown_first_are_told_by_genre_long_tail_and_niche(film: Movie) -> None:
    other = make_movie(genres=["Western"])
    Movie.objects.filter(pk=other.pk).update(is_long_tail=True)
    other.refresh_from_db()
    show(film, scores(150), at=BEFORE)
    show(other, scores(10), at=BEFORE)
    show(other, scores())
    found = drift()
    assert found["shown_genres"].has_drifted
    assert found["shown_long_tail"].has_drifted
    assert found["shown_niche"].psi == 0
    assert found["shown_genres"].bins == [
        {"bin": "Comedy", "training": 0.9375, "now": 0.0},
        {"bin": "Western", "training": 0.0625, "now": 1.0},
    ]


def test_a_viewer_counts_once_for_each_arm_by_the_newest_list(film: Movie) -> None:
    show(film, scores(), at=BEFORE)
    (early,) = show(film, [99.0], at=NOON - timedelta(hours=2))
    (late,) = show(film, [18.1], unit_key=early.unit_key)
    found = drift()
    assert early.unit_key == late.unit_key
    assert (found["scores"].n_now, found["scores"].status) == (1, "too_few")
    assert [one["now"] for one in found["scores"].bins] == [1.0, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "values",
    [
        {"counted": False},
        {"recipe": "wide"},
        {"degraded": "no_model"},
        {"unit_key": None},
        {"at": NOON - timedelta(days=8)},
        {"at": NOON + timedelta(days=1)},
    ],
    ids=str,
)
def test_lists_that_do_not_count_are_left_out(film: Movie, values: dict[str, object]) -> None:
    show(film, scores(), at=BEFORE)
    show(film, scores(5), **values)  # type: ignore[arg-type] # each a field of a slate
    assert drift()["scores"].n_now == 0


def test_only_the_first_film_of_a_list_counts(film: Movie) -> None:
    show(film, scores(), at=BEFORE)
    for slate in show(film, scores(20)):
        impression(slate, film, -5.0, "hybrid", position=2).save()
    assert drift()["scores"].n_now == 20


def test_without_lists_of_before_there_is_nothing_to_hold_them_against(film: Movie) -> None:
    show(film, scores(), at=TRAINED - timedelta(days=40))
    show(film, scores())
    found = drift()
    for subject in ("scores", "scores_hybrid", "shown_genres"):
        assert (found[subject].status, found[subject].psi) == ("no_baseline", None)
        assert (found[subject].n_training, found[subject].n_now) == (0, 200)


def test_an_arm_that_is_new_is_named_and_leaves_the_others_alone(film: Movie) -> None:
    show(film, scores(), at=BEFORE)
    show(film, scores())
    show(film, scores(30), arm="svd")
    found = drift()
    assert (found["scores_svd"].status, found["scores_svd"].n_now) == ("no_baseline", 30)
    assert (found["scores"].n_now, found["scores"].psi) == (200, pytest.approx(0, abs=1e-12))


@pytest.mark.parametrize(
    "whose", [{"segment": "cold"}, {"arm": "popular"}, {"arm": "an arm of before"}], ids=str
)
def test_a_score_that_is_everybody_s_is_left_out_of_scores_alone(film: Movie, whose: dict[str, str]) -> None:
    """Newcomers get what is popular: one number, that each fit moves."""
    for at, top in ((BEFORE, 7.0), (NOON, 7.1)):
        show(film, scores(), at=at)
        show(film, [top] * 200, at=at, **whose)  # type: ignore[arg-type] # a segment or an arm
    found = drift()
    assert (found["scores"].n_now, found["scores"].psi) == (200, pytest.approx(0, abs=1e-12))
    assert found["shown_genres"].n_now == 400


def test_scores_that_are_all_the_same_can_be_compared(film: Movie) -> None:
    show(film, [7.0] * 200, at=BEFORE)
    show(film, [7.0] * 200)
    assert (drift()["scores"].psi, drift()["scores"].status) == (0, "ok")


def test_reads_the_newest_lists_where_there_are_many(film: Movie, monkeypatch: pytest.MonkeyPatch) -> None:
    show(film, scores(), at=BEFORE)
    show(film, scores(30))
    monkeypatch.setattr(served, "MOST_LISTS", 25)
    found = drift()["scores"]
    assert (found.n_training, found.n_now) == (25, 25)


def test_nothing_that_moved_reads_as_drift_once_in_a_thousand_weeks(film: Movie) -> None:
    """200 weeks of 60 to 400 viewers: three alarms would be a chance of 1 in 1,000."""
    alarms = told = 0
    for _ in range(200):
        before, now = ([first(RNG) for _ in range(RNG.integers(60, 400))] for _ in range(2))
        found = served._compare("scores", before, now, served._fifths(before))
        told += found.status == "ok"
        alarms += found.status == "ok" and found.psi is not None and found.psi > 0.2
    assert told > 60
    assert alarms <= 2


def first(rng: np.random.Generator) -> served.First:
    arm, segment = ("hybrid", "svd")[rng.integers(2)], ("cold", "regular", "power")[rng.integers(3)]
    score = rng.normal(len(segment), 1)
    return served.First(None, arm, segment, score, "Drama", False, False)  # type: ignore[arg-type] # a unit of none


@pytest.mark.parametrize("n", [3, 30])
def test_reads_each_side_once_however_many_lists(
    film: Movie, n: int, django_assert_num_queries: Callable[[int], object]
) -> None:
    show(film, scores(n), at=BEFORE)
    show(film, scores(n))
    before = served.Period(TRAINED - timedelta(days=28), TRAINED)
    now = served.Period(NOON - timedelta(days=6), NOON + timedelta(hours=12))
    with django_assert_num_queries(2):  # type: ignore[attr-defined] # a context manager
        served.compare_served("standard", before=before, now=now)
    assert Slate.objects.count() == RecommendationEvent.objects.count() == 2 * n
