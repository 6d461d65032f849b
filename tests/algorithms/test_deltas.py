"""What differs between two states of the ratings."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from apps.algorithms.deltas import delta_of
from apps.algorithms.types import Interactions, ItemIndex
from tests.algorithms.changes import make_delta, weigh, weigh_delta
from tests.algorithms.factories import make_interactions


def with_ids(interactions, ids):
    return Interactions(
        interactions.ratings, interactions.rated_at, ItemIndex(np.array(ids)), interactions.features
    )


def test_rows_before_and_after_stand_beside_each_other_film_by_film():
    before = make_interactions([(0, 0, 3.0, 1.0), (1, 1, 4.0, 1.0)], n_users=2, n_items=2)
    after = make_interactions([(0, 0, 3.0, 1.0), (0, 2, 5.0, 2.0), (1, 2, 2.0, 2.0)], n_users=2, n_items=3)
    delta = delta_of(
        with_ids(before, [10, 30]), with_ids(after, [10, 20, 30]), people=[(1, 1), (-1, 0), (0, -1)]
    )
    assert delta.was.toarray().tolist() == [[0, 0, 4], [0, 0, 0], [3, 0, 0]]
    assert delta.now.toarray().tolist() == [[0, 0, 2], [3, 0, 5], [0, 0, 0]]
    assert delta.rated.tolist() == [0, 2]
    assert delta.described.tolist() == [1], "a film that is new"
    assert not delta.is_of_same_films


def test_what_a_film_has_is_carried_to_its_new_place():
    delta = make_delta(with_films=True)
    held = np.arange(delta.before.n_items, dtype=np.float64)
    carried = delta.carried(held, -1.0)
    ids = dict(zip(delta.before.items.ids.tolist(), held.tolist(), strict=True))
    assert carried.tolist() == [ids.get(film, -1.0) for film in delta.after.items.ids.tolist()]


def test_a_square_of_films_is_carried_in_rows_and_columns_and_what_went_is_left_out():
    delta = make_delta(with_films=True)
    n = delta.before.n_items
    square = np.arange(n * n, dtype=np.float64).reshape(n, n)

    moved = delta.moved_square(sparse.csr_matrix(square)).toarray()
    kept = np.flatnonzero(delta.columns >= 0)
    places = delta.columns[kept]
    np.testing.assert_array_equal(moved[np.ix_(places, places)], square[np.ix_(kept, kept)])
    assert moved.sum() == square[np.ix_(kept, kept)].sum()


def test_where_nobody_said_anything_nothing_differs():
    before = make_delta().before
    delta = delta_of(before, before, people=[])
    assert delta.is_of_same_films
    assert (delta.n_people, delta.was.shape, len(delta.rated)) == (0, (0, before.n_items), 0)


def test_films_that_weigh_otherwise_or_come_from_elsewhere_were_rated_anew():
    plain = make_interactions([(0, 0, 4.0, 1.0), (0, 1, 4.0, 1.0), (0, 2, 4.0, 1.0)], n_users=1, n_items=4)
    sources = np.array([0, 4, 0], dtype=np.int8)
    before = replace(plain, sources=sources)
    weighted = replace(plain, weights=np.array([1.0, 1.0, 0.5], dtype=np.float32))
    assert delta_of(before, weighted, people=[(0, 0)]).rated.tolist() == [1, 2]
    assert delta_of(before, before, people=[(0, 0)]).rated.tolist() == []


def test_weights_stand_beside_their_films_also_where_these_moved():
    delta = weigh_delta(make_delta(with_films=True))
    was, now = delta.weighted("all")
    for side, rows, found in ((delta.before, 0, was), (weigh(delta.after), 1, now)):
        for number, row in enumerate(delta.people[:, rows].tolist()):
            if row < 0:
                assert found[number].nnz == 0
                continue
            spots = slice(side.ratings.indptr[row], side.ratings.indptr[row + 1])
            ids = side.items.ids[side.ratings.indices[spots]].tolist()
            doubled = 2 if row == 7 and rows == 1 else 1
            wanted = dict(zip(ids, (side.weights[spots] * doubled).tolist(), strict=True))
            films = delta.after.items.ids[found[number].indices].tolist()
            here = dict(zip(films, found[number].data.tolist(), strict=True))
            known = set(delta.after.items.ids.tolist())
            assert here == {film: weight for film, weight in wanted.items() if film in known}
