"""Two states of made-up ratings, for what arms are updated by."""

from dataclasses import replace

import numpy as np

from apps.algorithms.deltas import Delta, delta_of
from apps.algorithms.types import Interactions, ItemIndex
from tests.algorithms.factories import make_interactions, make_random_interactions, rows_of


def make_delta(*, with_films: bool = False) -> Delta:
    """Of twenty people two rate more, one takes a rating back, one rates anew what they had, and one comes.

    ``with_films`` a film comes between two others, with a rating, and one that nobody rated goes.
    """
    rng = np.random.default_rng(9)
    before = make_random_interactions(rng)
    rows = rows_of(before)
    films = before.items.ids.tolist()
    unrated = sorted(set(range(before.n_items)) - {item for _, item, *_ in rows})
    own = [row for row in rows if row[0] == 5]
    changed = [row for row in rows if row not in (own[0], own[1])]
    changed += [(5, own[1][1], 5.0, 99.0)]
    for user in (2, 3):
        open_to = sorted(set(range(before.n_items)) - {item for who, item, *_ in rows if who == user})
        changed += [(user, item, 4.5, 98.0 + number) for number, item in enumerate(open_to[:3])]
    changed += [(before.n_users, item, 4.0, 97.0) for item in range(4)]
    n_users = before.n_users + 1
    if not with_films:
        after = make_interactions(changed, n_users=n_users, n_items=before.n_items)
    else:
        kept = [film for spot, film in enumerate(films) if spot not in unrated[:1]]
        ids = sorted([*kept, films[3] + 5])
        place = {film: spot for spot, film in enumerate(ids)}
        moved = [(user, place[films[item]], stars, at) for user, item, stars, at in changed]
        moved += [(2, place[films[3] + 5], 5.0, 100.0)]
        plain = make_interactions(moved, n_users=n_users, n_items=len(ids))
        items = ItemIndex(ids=np.array(ids, dtype=np.int64))
        after = Interactions(plain.ratings, plain.rated_at, items, plain.features)
    return delta_of(before, after, people=[(2, 2), (3, 3), (5, 5), (-1, before.n_users)])


def weigh(interactions: Interactions) -> Interactions:
    """With a weight of .25 to 1.25 for each person and film, the same in every state of the ratings."""
    ratings = interactions.ratings
    people = np.repeat(np.arange(interactions.n_users), np.diff(ratings.indptr))
    mixed = people * 7 + interactions.items.ids[ratings.indices] * 3
    return replace(interactions, weights=(0.25 + mixed % 5 / 4).astype(np.float32))


def weigh_delta(delta: Delta) -> Delta:
    """The same with weights; all that somebody else said weighs twice as much afterwards."""
    before, after = weigh(delta.before), weigh(delta.after)
    assert after.weights is not None
    weights = after.weights.copy()
    weights[after.ratings.indptr[7] : after.ratings.indptr[8]] *= 2
    people = np.vstack([delta.people, [(7, 7)]])
    return delta_of(before, replace(after, weights=weights), people=people)
