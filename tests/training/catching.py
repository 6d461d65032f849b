"""Whether what was caught up with is what a reading of all rows gives."""

import numpy as np

from apps.algorithms.types import ALIGNED
from apps.algorithms.weights import interaction_matrix
from apps.training.catching_up import CaughtUp
from apps.training.datasets import build_corpus


def assert_whole(caught: CaughtUp) -> None:
    """That the corpus is what all rows give, and that the delta leads there."""
    ours = caught.corpus
    all_of_it = build_corpus(ours.data, mean_inverse=ours.mean_inverse)
    np.testing.assert_array_equal(ours.people, all_of_it.people)
    ours_in, wanted = ours.interactions, all_of_it.interactions
    np.testing.assert_array_equal(ours_in.items.ids, wanted.items.ids)
    assert (ours_in.ratings != wanted.ratings).nnz == 0
    np.testing.assert_array_equal(ours_in.ratings.indptr, wanted.ratings.indptr)
    for name in ALIGNED:
        np.testing.assert_array_equal(getattr(ours_in, name), getattr(wanted, name), err_msg=name)
    assert ours_in.arm_names == wanted.arm_names
    np.testing.assert_array_equal(ours_in.features.genres.toarray(), wanted.features.genres.toarray())
    assert ours_in.features.term_names == wanted.features.term_names
    assert_leads(caught)


def assert_leads(caught: CaughtUp) -> None:
    """That nobody differs but the people of the delta, whose rows it gives before and after."""
    delta = caught.delta
    weights = [interaction_matrix(side, "all").toarray() for side in (delta.before, delta.after)]
    before, after = delta.before.ratings.toarray(), delta.after.ratings.toarray()
    moved = np.zeros((len(before), delta.after.n_items))
    known = np.flatnonzero(delta.columns >= 0)
    moved[:, delta.columns[known]] = before[:, known]
    same_before = np.setdiff1d(np.arange(len(before)), delta.people[:, 0])
    same_after = np.setdiff1d(np.arange(len(after)), delta.people[:, 1])
    np.testing.assert_array_equal(moved[same_before], after[same_after])
    kept = delta.columns[known]
    np.testing.assert_array_equal(weights[0][same_before][:, known], weights[1][same_after][:, kept])
    for number, (was, now) in enumerate(delta.people.tolist()):
        nothing = np.zeros(delta.after.n_items)
        np.testing.assert_array_equal(delta.was.toarray()[number], moved[was] if was >= 0 else nothing)
        np.testing.assert_array_equal(delta.now.toarray()[number], after[now] if now >= 0 else nothing)
