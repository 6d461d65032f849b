import numpy as np
import pytest

from apps.algorithms.splitting import (
    held_back_of,
    k_fold,
    leave_last_out,
    newcomer_split,
    random_split,
    stratified_split,
    take_items,
    take_people,
    temporal_split,
)
from tests.algorithms.factories import make_interactions, make_random_interactions, with_sources


def rows_of(interactions):
    users = np.repeat(np.arange(interactions.n_users), np.diff(interactions.ratings.indptr))
    return set(
        zip(
            users.tolist(),
            interactions.ratings.indices.tolist(),
            interactions.ratings.data.tolist(),
            interactions.rated_at.tolist(),
            strict=True,
        )
    )


SPLITS = {
    "random": lambda data: random_split(data, np.random.default_rng(5)),
    "stratified": lambda data: stratified_split(data, np.random.default_rng(5)),
    "temporal": temporal_split,
    "temporal, newcomers told": lambda data: temporal_split(data, told_share=0.5),
    "last one": leave_last_out,
    "last fifth": lambda data: leave_last_out(data, share=0.2),
    "newcomers": lambda data: newcomer_split(data, np.random.default_rng(5), first=2),
    "fold": lambda data: next(k_fold(data, np.random.default_rng(5))),
}


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
def test_parts_are_disjoint_and_hold_every_rating_with_its_time(split):
    data = make_random_interactions(np.random.default_rng(1))
    parts = split(data)
    assert rows_of(parts.known) | rows_of(parts.test) == rows_of(data)
    assert not rows_of(parts.known) & rows_of(parts.test)
    assert rows_of(parts.train) <= rows_of(parts.known)
    assert parts.train.ratings.shape == parts.test.ratings.shape == data.ratings.shape


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
def test_the_same_generator_gives_the_same_split(split):
    data = make_random_interactions(np.random.default_rng(1))
    assert rows_of(split(data).test) == rows_of(split(data).test)


def test_random_split_holds_back_the_share():
    data = make_random_interactions(np.random.default_rng(1))
    held = random_split(data, np.random.default_rng(2), test_share=0.25).test.ratings.nnz
    assert held == round(data.ratings.nnz * 0.25)


def test_stratified_split_holds_back_the_rounded_share_of_each_person():
    rows = [(user, item, 3.0, 0.0) for user, size in enumerate([1, 2, 4, 10]) for item in range(size)]
    data = make_interactions(rows, n_users=5, n_items=10)
    parts = stratified_split(data, np.random.default_rng(2), test_share=0.25)
    assert np.diff(parts.test.ratings.indptr).tolist() == [0, 1, 1, 3, 0]


def test_leave_last_out_holds_back_the_newest_and_among_equals_the_higher_index():
    rows = [(0, 0, 3.0, 9.0), (0, 1, 3.0, 5.0), (0, 2, 3.0, 9.0), (1, 1, 3.0, 1.0)]
    parts = leave_last_out(make_interactions(rows, n_users=2, n_items=3))
    assert rows_of(parts.test) == {(0, 2, 3.0, 9.0)}


def test_leave_last_out_by_share_holds_back_the_newest_fifth_of_each_person():
    rows = [(0, item, 3.0, float(-item)) for item in range(10)]
    parts = leave_last_out(make_interactions(rows, n_users=1, n_items=10), share=0.2)
    assert parts.test.ratings.indices.tolist() == [0, 1]


def test_temporal_split_leaves_nothing_in_train_as_new_as_the_test():
    data = make_random_interactions(np.random.default_rng(1))
    parts = temporal_split(data, test_share=0.2)
    assert parts.train.rated_at.max() < parts.test.rated_at.min()
    assert parts.test.ratings.nnz >= data.ratings.nnz * 0.2


def test_temporal_split_cuts_at_the_given_moment():
    rows = [(0, 0, 3.0, 1.0), (0, 1, 3.0, 2.0), (0, 2, 3.0, 3.0)]
    parts = temporal_split(make_interactions(rows, n_users=1, n_items=3), cut=2.0)
    assert parts.test.ratings.indices.tolist() == [1, 2]


def test_temporal_split_tells_the_older_half_of_those_who_came_since():
    before = [(0, item, 3.0, float(item)) for item in range(2)]
    since = [(0, 2, 3.0, 9.0), *((1, item, 3.0, 12.0 - item) for item in range(4)), (2, 0, 3.0, 11.0)]
    parts = temporal_split(
        make_interactions([*before, *since], n_users=3, n_items=4), cut=5.0, told_share=0.5
    )
    assert rows_of(parts.train) == rows_of(parts.learned) == set(before)
    assert rows_of(parts.known) == {*before, (1, 3, 3.0, 9.0), (1, 2, 3.0, 10.0)}
    assert rows_of(parts.test) == {(0, 2, 3.0, 9.0), (1, 1, 3.0, 11.0), (1, 0, 3.0, 12.0), (2, 0, 3.0, 11.0)}


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_temporal_split_tells_a_share_of_what_newcomers_said_and_never_all(share):
    data = make_random_interactions(np.random.default_rng(1))
    with pytest.raises(ValueError, match="the share told must lie between 0 and 1"):
        temporal_split(data, told_share=share)


def test_the_test_of_some_people_holds_their_ratings_alone():
    parts = temporal_split(make_random_interactions(np.random.default_rng(1)))
    some = held_back_of(parts, np.array([1, 3]))
    assert rows_of(some.test) == {row for row in rows_of(parts.test) if row[0] in (1, 3)}
    assert rows_of(some.train) == rows_of(parts.train)


def test_some_films_keep_their_ratings_and_features():
    data = make_random_interactions(np.random.default_rng(1))
    spots = np.arange(0, data.n_items, 2)
    some = take_items(data, data.items.ids[spots])
    assert some.items.ids.tolist() == data.items.ids[spots].tolist()
    assert rows_of(some) == {
        (user, item // 2, value, at) for user, item, value, at in rows_of(data) if item % 2 == 0
    }
    assert (some.features.genres != data.features.genres[spots]).nnz == 0
    assert some.features.primary_genre.tolist() == data.features.primary_genre[spots].tolist()
    assert take_items(data, data.items.ids) is data


def test_newcomers_are_unknown_to_training_and_told_by_their_oldest_ratings():
    data = make_random_interactions(np.random.default_rng(3), n_users=40, n_items=20)
    split = newcomer_split(data, np.random.default_rng(1), test_share=0.25, first=3)
    newcomers = np.flatnonzero(split.test.ratings.getnnz(axis=1))
    sizes = data.ratings.getnnz(axis=1)
    assert len(newcomers) == round(0.25 * np.count_nonzero(sizes > 3))
    assert not split.train.ratings.getnnz(axis=1)[newcomers].any()
    assert set(split.known.ratings.getnnz(axis=1)[newcomers].tolist()) == {3}
    for user in newcomers.tolist():
        assert split.known.history(user).items.tolist() == data.history(user).items.tolist()[:3]
    others = np.setdiff1d(np.arange(40), newcomers)
    for part in (split.train, split.known):
        assert part.ratings.getnnz(axis=1)[others].tolist() == sizes[others].tolist()


def test_k_fold_holds_back_each_rating_once_in_parts_of_one_size():
    data = make_random_interactions(np.random.default_rng(1))
    tests = [rows_of(parts.test) for parts in k_fold(data, np.random.default_rng(3), folds=4)]
    assert sum(map(len, tests)) == data.ratings.nnz
    assert set().union(*tests) == rows_of(data)
    assert max(map(len, tests)) - min(map(len, tests)) <= 1


def test_refuses_shares_and_counts_that_hold_back_nothing_or_all():
    data = make_random_interactions(np.random.default_rng(1))
    with pytest.raises(ValueError, match=r"^the share held back must lie between 0 and 1, not 1$"):
        temporal_split(data, test_share=1)
    with pytest.raises(ValueError, match=r"^count must be at least 1, not 0$"):
        leave_last_out(data, count=0)
    with pytest.raises(ValueError, match=r"^folds must be 2 to the number of ratings, \d+, not 1$"):
        k_fold(data, np.random.default_rng(3), folds=1)


def test_splits_nothing_into_nothing():
    data = make_interactions([], n_users=2, n_items=3)
    for parts in (temporal_split(data), leave_last_out(data), random_split(data, np.random.default_rng(1))):
        assert parts.train.ratings.nnz == parts.test.ratings.nnz == 0


def test_some_people_bring_their_ratings_with_their_times():
    data = make_random_interactions(np.random.default_rng(2))
    part = take_people(data, np.array([3, 7]))
    assert part.n_users == 2
    assert part.items is data.items
    for row, user in enumerate((3, 7)):
        assert part.history(row).items.tolist() == data.history(user).items.tolist()
        assert part.history(row).values.tolist() == data.history(user).values.tolist()


def entries_of(interactions):
    """Every stored row with all that is aligned with it."""
    users = np.repeat(np.arange(interactions.n_users), np.diff(interactions.ratings.indptr))
    aligned = interactions.aligned(slice(None))
    columns = [users, interactions.ratings.indices, interactions.ratings.data]
    for name in ("rated_at", "weights", "shown_by", "propensities"):
        columns.append(np.nan_to_num(aligned[name], nan=-9))
    return set(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
def test_only_explicit_ratings_are_held_back_and_the_same_whatever_else_is_learned_from(split):
    data = with_sources(make_random_interactions(np.random.default_rng(1)), np.random.default_rng(2))
    parts, alone = split(data), split(data.explicit)
    for mine, theirs in ((parts.train, alone.train), (parts.test, alone.test), (parts.known, alone.known)):
        assert entries_of(mine) == entries_of(theirs)
        assert mine.sources is None
    assert alone.learned is alone.train


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
def test_what_is_fitted_on_keeps_weights_sources_and_tags(split):
    data = with_sources(make_random_interactions(np.random.default_rng(1)), np.random.default_rng(2))
    parts = split(data)
    assert entries_of(parts.train) <= entries_of(parts.learned) <= entries_of(data) - entries_of(parts.test)
    assert entries_of(parts.learned) > entries_of(parts.train), "something else is learned from"
    assert parts.learned.arm_names == ("svd",)


def test_by_time_nothing_is_learned_from_that_came_after_the_cut():
    data = with_sources(make_random_interactions(np.random.default_rng(1)), np.random.default_rng(2))
    parts = temporal_split(data, cut=25.0)
    assert parts.learned.rated_at.max() < 25 <= parts.test.rated_at.min()
    assert entries_of(parts.learned) == {row for row in entries_of(data) if row[3] < 25}


def test_nothing_is_learned_of_a_person_from_when_their_last_ratings_are_held_back():
    data = with_sources(make_random_interactions(np.random.default_rng(1)), np.random.default_rng(2))
    parts = leave_last_out(data, share=0.2)
    for user in np.flatnonzero(np.diff(parts.test.ratings.indptr)):
        others = take_people(parts.learned, np.array([user]))
        first = take_people(parts.test, np.array([user])).rated_at.min()
        assert others.rated_at[others.sources > 0].max(initial=-1) < first


def test_nothing_is_learned_of_newcomers():
    data = with_sources(make_random_interactions(np.random.default_rng(1)), np.random.default_rng(2))
    parts = newcomer_split(data, np.random.default_rng(5), first=2)
    newcomers = np.flatnonzero(np.diff(parts.test.ratings.indptr))
    assert len(newcomers)
    assert take_people(parts.learned, newcomers).ratings.nnz == 0
