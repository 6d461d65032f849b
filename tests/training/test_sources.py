"""What a recipe learns from beside explicit ratings: what counts, for how much, and which list led there."""

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.algorithms.types import NOBODY, Interactions, Source
from apps.catalog.models import Movie
from apps.ratings.services import record_preference
from apps.training.artifacts import ArtifactRefused
from apps.training.corpus import open_corpus, save_corpus
from apps.training.data import DataParameters
from apps.training.datasets import build_corpus, build_interactions
from apps.training.rows import ARM_NAMES
from tests.factories import make_user
from tests.training.acting import act, show

pytestmark = pytest.mark.django_db

ALL = DataParameters(thumbs=0.8, favorites=0.6, watchlist=0.4, clicks=0.2)


def told(user: User, movie: Movie, data: DataParameters = ALL) -> Mapping[str, object]:
    """What the interactions of one person and film say; empty where there are none."""
    corpus = build_corpus(data)
    row = np.flatnonzero(corpus.people == user.pk)
    spot = corpus.interactions.items.indices([movie.pk])[0]
    places = corpus.interactions.places(row).tocsr()[:, [spot]].data if len(row) else []
    return entry(corpus.interactions, int(places[0])) if len(places) else {}


def entry(found: Interactions, place: int) -> Mapping[str, object]:
    shown_by = NOBODY if found.shown_by is None else int(found.shown_by[place])
    return {
        "stars": float(found.ratings.data[place]),
        "weight": 1.0 if found.weights is None else round(float(found.weights[place]), 4),
        "source": Source.RATING if found.sources is None else Source(found.sources[place]),
        "arm": "" if shown_by == NOBODY else found.arm_names[shown_by],
        "propensity": None if shown_by == NOBODY else round(float(found.propensities[place]), 4),  # type: ignore[index]
        "at": float(found.rated_at[place]),
    }


def said(user: User, movie: Movie, data: DataParameters = ALL) -> tuple[object, ...]:
    found = told(user, movie, data)
    return tuple(found[name] for name in ("source", "stars", "weight")) if found else ()


@pytest.fixture
def viewer(films: list[Movie]) -> User:
    return make_user()


@pytest.mark.parametrize(
    ("kind", "source", "stars", "weight"),
    [
        ("thumbs_up", Source.THUMB, 4.0, 0.8),
        ("thumbs_down", Source.THUMB, 1.5, 0.8),
        ("favorite", Source.FAVORITE, 4.5, 0.6),
        ("watchlist", Source.WATCHLIST, 4.0, 0.4),
        ("click", Source.CLICK, 4.0, 0.2),
        ("view", Source.CLICK, 4.0, 0.2),
    ],
)
def test_an_act_counts_with_its_weight_and_the_stars_that_it_stands_for(
    viewer: User, films: list[Movie], kind: str, source: Source, stars: float, weight: float
) -> None:
    at = act(viewer, films[3], kind)
    assert told(viewer, films[3]) == {
        "stars": stars,
        "weight": weight,
        "source": source,
        "arm": "",
        "propensity": None,
        "at": pytest.approx(at.timestamp(), abs=0.001),
    }
    assert said(viewer, films[3], DataParameters()) == (), "by default ratings alone count"


def test_of_several_things_said_of_a_film_the_heaviest_counts(viewer: User, films: list[Movie]) -> None:
    expected = [
        ("click", None, Source.CLICK),
        ("watchlist", None, Source.WATCHLIST),
        ("favorite", None, Source.FAVORITE),
        ("thumbs_down", None, Source.THUMB),
        ("rate", 3.0, Source.RATING),
    ]
    for kind, value, source in expected:
        act(viewer, films[3], kind, value)
        assert said(viewer, films[3])[0] == source
    act(viewer, films[3], "unrate")
    assert said(viewer, films[3]) == (Source.THUMB, 1.5, 0.8)


def test_what_was_taken_back_does_not_count(viewer: User, films: list[Movie]) -> None:
    for kind, back in (
        ("thumbs_up", "thumbs_clear"),
        ("favorite", "unfavorite"),
        ("watchlist", "unwatchlist"),
    ):
        act(viewer, films[3], kind)
        act(viewer, films[3], back)
    assert said(viewer, films[3]) == ()


def test_interest_in_a_film_that_was_dismissed_does_not_count_and_a_thumb_does(
    viewer: User, films: list[Movie]
) -> None:
    act(viewer, films[3], "click")
    act(viewer, films[3], "watchlist")
    act(viewer, films[4], "thumbs_up")
    for film in films[3:5]:
        act(viewer, film, "dismiss")
    assert said(viewer, films[3]) == ()
    assert said(viewer, films[4]) == (Source.THUMB, 4.0, 0.8)
    act(viewer, films[3], "undismiss")
    assert said(viewer, films[3])[0] == Source.WATCHLIST


def test_a_source_without_weight_is_not_read(viewer: User, films: list[Movie]) -> None:
    act(viewer, films[3], "thumbs_down")
    act(viewer, films[3], "click")
    assert said(viewer, films[3], DataParameters(clicks=0.5)) == (Source.CLICK, 4.0, 0.5)


def test_an_interaction_bears_the_arm_that_had_shown_the_film(viewer: User, films: list[Movie]) -> None:
    for film, kind, value in (
        (films[2], "rate", 4.0),
        (films[3], "thumbs_up", None),
        (films[4], "click", None),
    ):
        act(viewer, film, kind, value, event=show(viewer, film, arm="als", propensity=0.25))
        assert (told(viewer, film)["arm"], told(viewer, film)["propensity"]) == ("als", 0.25)
    assert told(viewer, films[2], DataParameters())["arm"] == "als", "ratings bear it by default"


def test_what_came_without_a_list_or_by_an_import_bears_no_arm(viewer: User, films: list[Movie]) -> None:
    act(viewer, films[2], "rate", 4.0)
    assert told(viewer, films[2])["arm"] == ""
    assert build_interactions(ALL).arm_names == ()
    act(viewer, films[3], "rate", 4.0, event=show(viewer, films[3]))
    # As an import writes it: no act of the log left it so.
    later = timezone.now() + timedelta(days=400)
    record_preference(user_id=viewer.pk, movie_id=films[3].pk, kind="rate", value=4.5, at=later)
    assert (told(viewer, films[3])["arm"], told(viewer, films[3])["stars"]) == ("", 4.5)


def test_the_act_that_left_it_so_decides_which_list_it_came_from(viewer: User, films: list[Movie]) -> None:
    act(viewer, films[3], "rate", 4.0, event=show(viewer, films[3], arm="als"))
    act(viewer, films[3], "rate", 5.0, event=show(viewer, films[3], arm="svd"))
    assert told(viewer, films[3])["arm"] == "svd"
    act(viewer, films[3], "rate", 5.0)
    # The latest impression of the film within a week before; there is none.
    assert told(viewer, films[3])["arm"] == ""


def test_an_arm_that_there_is_no_more_is_another_one(viewer: User, films: list[Movie]) -> None:
    act(viewer, films[3], "rate", 4.0, event=show(viewer, films[3], arm="knn", propensity=None))
    found = told(viewer, films[3])
    assert found["arm"] == ARM_NAMES[-1] == "other"
    assert np.isnan(found["propensity"])  # type: ignore[call-overload]


def shown_with(viewer: User, films: list[Movie], propensities: list[float | None]) -> None:
    for film, propensity in zip(films, propensities, strict=False):
        act(viewer, film, "rate", 4.0, event=show(viewer, film, propensity=propensity))


def test_what_a_list_led_to_weighs_by_how_unlikely_that_was(viewer: User, films: list[Movie]) -> None:
    shown_with(viewer, films, [0.5, 0.25, 0.01, None])
    act(viewer, films[5], "rate", 4.0)
    data = DataParameters(inverse_propensity=True, propensity_cap=10)
    mean = (2 + 4 + 10) / 3
    weights = [told(viewer, film, data)["weight"] for film in (*films[:4], films[5])]
    # The fourth has no known probability, the fifth came without a list.
    assert weights == pytest.approx([2 / mean, 4 / mean, 10 / mean, 1, 1], abs=1e-4)
    assert build_corpus(data).mean_inverse == pytest.approx(mean)


def test_where_no_list_led_to_anything_all_weigh_one(films: list[Movie]) -> None:
    corpus = build_corpus(DataParameters(inverse_propensity=True))
    assert (corpus.interactions.weights, corpus.mean_inverse) == (None, 1.0)


def test_a_source_weighs_beside_the_propensity(viewer: User, films: list[Movie]) -> None:
    act(viewer, films[0], "rate", 4.0, event=show(viewer, films[0], propensity=1.0))
    act(viewer, films[1], "click", event=show(viewer, films[1], propensity=1 / 3))
    data = DataParameters(clicks=0.5, inverse_propensity=True)
    assert told(viewer, films[0], data)["weight"] == pytest.approx(1 / 2)
    assert told(viewer, films[1], data)["weight"] == pytest.approx(0.5 * 3 / 2)


def test_the_corpus_keeps_weights_sources_arms_and_propensities(viewer: User, films: list[Movie]) -> None:
    shown_with(viewer, films, [0.5, 0.25])
    act(viewer, films[4], "click")
    data = DataParameters(clicks=0.5, inverse_propensity=True)
    corpus = build_corpus(data)
    save_corpus("one", corpus)
    again = open_corpus("one")
    assert (again.data, again.mean_inverse) == (data, corpus.mean_inverse)
    for name in ("weights", "sources", "shown_by", "propensities"):
        np.testing.assert_array_equal(
            getattr(again.interactions, name), getattr(corpus.interactions, name), err_msg=name
        )
    assert again.interactions.arm_names == ARM_NAMES


def test_a_corpus_of_other_arms_is_refused(
    viewer: User, films: list[Movie], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown_with(viewer, films, [0.5])
    save_corpus("one", build_corpus())
    monkeypatch.setattr("apps.training.corpus.ARM_NAMES", ("svd", "other"))
    with pytest.raises(ArtifactRefused) as refused:
        open_corpus("one")
    assert "other arms had shown the films that it tells of" in str(refused.value)


def test_a_viewers_history_has_no_film_that_they_only_looked_at(viewer: User, films: list[Movie]) -> None:
    act(viewer, films[1], "favorite")
    act(viewer, films[2], "click")
    act(viewer, films[3], "watchlist")
    corpus = build_corpus(ALL)
    history = corpus.interactions.history(int(np.flatnonzero(corpus.people == viewer.pk)[0]))
    assert corpus.interactions.items.ids[history.items].tolist() == [films[1].pk]
    assert history.values.tolist() == [4.5]


def test_a_film_was_opened_when_it_was_opened_last(viewer: User, films: list[Movie]) -> None:
    act(viewer, films[3], "click")
    last = act(viewer, films[3], "view")
    assert told(viewer, films[3])["at"] == pytest.approx(last.timestamp(), abs=0.001)
