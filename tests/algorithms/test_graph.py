from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from apps.algorithms.arms import walking
from apps.algorithms.arms.graph import Graph
from apps.algorithms.arms.things import telling_things, things_of
from apps.algorithms.arms.walking import bridge, walk
from apps.algorithms.base import InvalidParameter, NotFittedError, Path
from apps.algorithms.types import Interactions
from tests.algorithms.contract import AddsUp, ReadsHistory, make_history, make_rng
from tests.algorithms.factories import make_features, make_interactions, make_random_interactions

EVEN = {"people": 1.0, "keyword": 1.0, "genre": 1.0, "origin": 1.0}


class TestGraph(ReadsHistory, AddsUp):
    arm = "graph"
    update_likeness = 0.7


class TestGraphOfRatings(ReadsHistory, AddsUp):
    arm = "graph"
    update_likeness = 0.7
    parameters = {"things": 0.0, "restart": 0.5, "neighbours": 12}


class TestGraphOfThings(ReadsHistory):
    arm = "graph"
    update_likeness = 0.7
    parameters = {"things": 1.0, "restart": 1.0}


def describe(terms: dict[str, list[int]], n_items: int, ratings: list[tuple[int, int]] | None = None):
    """Films without genres; ``terms`` says which films have each, ``ratings`` who gave which five stars."""
    matrix = np.zeros((n_items, len(terms)), dtype=np.float32)
    for column, films in enumerate(terms.values()):
        matrix[films, column] = 1.0
    rows = [(user, item, 5.0, 1.0) for user, item in ratings or []]
    features = replace(
        make_features(n_items),
        genres=sparse.csr_matrix((n_items, 0), dtype=np.float32),
        genre_names=(),
        terms=sparse.csr_matrix(matrix),
        term_names=tuple(terms),
    )
    return replace(make_interactions(rows, n_users=3, n_items=n_items), features=features)


@pytest.fixture
def chain() -> Interactions:
    """Films 0 and 1 share a director, films 1 and 2 another; the others have none."""
    return describe({"director:Agnès Varda": [0, 1], "director:": [1, 2]}, 9)


def fit(interactions: Interactions, **parameters: float) -> Graph:
    return Graph(**{"shrink": 0.0, **parameters}).fit(interactions, make_rng())


def test_one_step_goes_to_films_that_share_a_thing(chain):
    arm = fit(chain, restart=1.0)
    assert arm.scores([make_history([0])])[0] == pytest.approx([0, 1 / 2] + [0] * 7)
    assert arm.scores([make_history([1])])[0] == pytest.approx([1 / 4, 0, 1 / 4] + [0] * 6)


def test_a_walk_goes_on_unless_it_ends(chain):
    row = fit(chain, restart=0.8).scores([make_history([0])])[0]
    # After one step half are at film 1, after two an eighth at film 2; those that came home count no more.
    assert row == pytest.approx([0, 0.8 / 2, 0.8 * 0.2 / 8] + [0] * 6)


def test_walks_end_at_the_films_that_shrink_adds(chain):
    row = fit(chain, restart=1.0, shrink=2.0).scores([make_history([0])])[0]
    assert row == pytest.approx([0, 1 / 4] + [0] * 7)


def test_steps_are_shared_out_between_things_and_people():
    film_and_person = describe({"keyword:heist": [0, 1]}, 3, ratings=[(0, 0), (0, 2)])
    row = fit(film_and_person, restart=1.0, things=0.6, discount=0.0).scores([make_history([0])])[0]
    # The keyword goes on by the roots of 1 + the people who rated its films: 2 to 1.
    to_other = 1 / (1 + np.sqrt(2))
    assert row == pytest.approx([0, 0.6 * to_other, 0.4 / 2])


def test_popular_films_lose_by_the_discount():
    watched = describe({}, 3, ratings=[(0, 0), (0, 1), (0, 2), (1, 2), (2, 2)])
    fair, discounted = (
        fit(watched, restart=1.0, discount=discount).scores([make_history([0])])[0] for discount in (0, 0.5)
    )
    assert fair[2] == fair[1]
    assert discounted[2] == pytest.approx(fair[2] / np.sqrt(3))
    assert discounted[1] == fair[1]


def test_a_film_that_nobody_rated_is_found_by_its_things():
    described = describe({"cast:Setsuko Hara": [0, 3]}, 4, ratings=[(0, 0), (0, 1), (1, 0)])
    assert fit(described).scores([make_history([0])])[0][3] > 0


def test_words_of_a_title_and_groups_without_weight_lead_nowhere():
    described = describe({"title:story": [0, 1], "keyword:heist": [0, 2]}, 3)
    assert fit(described).scores([make_history([0])])[0].tolist() == pytest.approx([0, 0, 0.45])
    assert not fit(described, keyword_weight=0.0).scores([make_history([0])]).any()


def make_walk(keep: int, restart: float = 0.6) -> sparse.csr_matrix:
    ratings = sparse.csr_matrix(make_random_interactions(make_rng(), n_users=20, n_items=30).ratings.T)
    return walk(
        [(np.ones(30, dtype=np.float32), bridge(ratings, ratings))],
        np.linspace(0.1, 1.0, 30, dtype=np.float32),
        restart=restart,
        keep=keep,
    )


@pytest.mark.parametrize("restart", [0.2, 0.6, 1.0])
def test_rows_are_chances(restart):
    rows = make_walk(10, restart)
    assert rows.data.min() > 0
    assert rows.sum(axis=1).max() <= 1 + 1e-6
    assert not rows.diagonal().any()


def test_truncation_keeps_the_strongest():
    whole, kept = make_walk(30, restart=1.0).toarray(), make_walk(7, restart=1.0)
    assert set(np.diff(kept.indptr)) == {7}
    for row, part in zip(whole, kept.toarray(), strict=True):
        np.testing.assert_allclose(np.sort(part)[-7:], np.sort(row)[-7:], rtol=1e-6)


def test_walks_go_on_from_where_most_walkers_are(monkeypatch):
    """From film 0 more go to film 1, with which it shares two things, than to film 2."""
    shared = describe(
        {"cast:A": [0, 1], "cast:B": [0, 1], "cast:C": [0, 2], "cast:D": [1, 3], "cast:E": [2, 4]}, 9
    )
    far = [fit(shared, restart=0.8).scores([make_history([0])])[0]]
    monkeypatch.setattr(walking, "GOING_ON", 1)
    far.append(fit(shared, restart=0.8).scores([make_history([0])])[0])
    assert [np.flatnonzero(row).tolist() for row in far] == [[1, 2, 3, 4], [1, 2, 3]]
    assert far[0][3] == far[1][3]


def test_ties_fall_by_column():
    shared = describe({"keyword:heist": [0, 1, 2, 3]}, 4)
    row = fit(shared, neighbours=2, restart=1.0).scores([make_history([1])])[0]
    assert np.flatnonzero(row).tolist() == [0, 2]


def test_blocks_change_nothing(monkeypatch):
    whole = make_walk(10)
    monkeypatch.setattr(walking, "BLOCK_CELLS", 4 * 30)
    assert abs(make_walk(10) - whole).max() < 1e-6


def test_a_step_is_the_same_over_wide_nodes_and_narrow_ones():
    dense = (make_rng().random((40, 12)) < 0.05).astype(np.float32)
    dense[:, :2] = 1.0
    edges = sparse.csr_matrix(dense)
    there, back = edges.toarray(), edges.toarray().T
    there = there / np.maximum(there.sum(axis=1, keepdims=True), 1e-12)
    back = back / np.maximum(back.sum(axis=1, keepdims=True), 1e-12)
    np.testing.assert_allclose(bridge(edges, edges).step(np.arange(40)), there @ back, rtol=1e-5)


def path_between(interactions: Interactions, item: int, entries: list[int], led: list[float]) -> Path | None:
    return fit(interactions).path(item, np.array(entries), np.array(led))


def test_a_path_names_what_is_shared(chain):
    assert path_between(chain, 1, [0], [0.5]) == Path(0, "director", "Agnès Varda")
    assert path_between(chain, 1, [2], [0.5]) == Path(0, "director", "")
    assert path_between(chain, 0, [2], [0.5]) is None
    assert path_between(chain, 0, [], []) is None


def test_a_path_prefers_what_has_a_name_and_the_film_that_led_more(chain):
    assert path_between(chain, 1, [2, 0], [0.5, 0.5]) == Path(1, "director", "Agnès Varda")
    assert path_between(chain, 1, [2, 0], [0.9, 0.1]) == Path(0, "director", "")


def test_a_path_prefers_what_is_rare_and_what_tells_more():
    films = describe(
        {"keyword:heist": [0, 1], "keyword:dog": [0, 1, 2, 3], "decade:1990": [0, 1], "language:fr": [0, 1]},
        9,
    )
    assert path_between(films, 1, [0], [1.0]) == Path(0, "keyword", "heist")


def test_what_many_films_have_is_not_named():
    films = describe({"country:France": [0, 1, 2], "cast:Setsuko Hara": [2, 3]}, 9)
    telling = telling_things(things_of(films.features, EVEN))
    assert telling.names == ("cast:Setsuko Hara",)
    assert telling.matrix.data == pytest.approx(np.log(10 / 3))
    assert path_between(films, 1, [0], [1.0]) is None


def test_genres_are_things_too():
    by_genre = make_interactions([], n_users=0, n_items=12)
    features = make_features(12, n_genres=6)
    named = fit(replace(by_genre, features=features)).path(0, np.array([6]), np.array([1.0]))
    assert named == Path(0, "genre", "genre 0")


def test_refuses_a_path_before_fit():
    with pytest.raises(NotFittedError) as refusal:
        Graph().path(0, np.array([1]), np.array([1.0]))
    assert str(refusal.value) == "graph has not been fitted: call fit or from_arrays first."


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"restart": 0.1}, "restart must be a number from 0.2 to 1, not 0.1."),
        ({"things": 1.5}, "things must be a number from 0 to 1, not 1.5."),
        ({"neighbours": 0}, "neighbours must be a whole number from 1 to 10000, not 0."),
        ({"shrink": -1}, "shrink must be a number from 0 to 100000, not -1."),
        ({"discount": 2.5}, "discount must be a number from 0 to 2, not 2.5."),
        ({"people_weight": 101}, "people_weight must be a number from 0 to 100, not 101."),
    ],
)
def test_refuses_a_parameter_out_of_its_range(given, sentence):
    with pytest.raises(InvalidParameter) as refusal:
        Graph(**given)
    assert str(refusal.value) == f"graph: {sentence}"
