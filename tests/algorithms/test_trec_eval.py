"""Our measures of lists beside trec_eval's."""

import numpy as np
import pytest
import pytrec_eval

from apps.algorithms import metrics

K = 10
OURS = {
    f"ndcg_cut_{K}": metrics.ndcg_at_k,
    f"P_{K}": metrics.precision_at_k,
    f"recall_{K}": metrics.recall_at_k,
    f"success_{K}": metrics.hit_rate_at_k,
    "recip_rank": lambda films, relevant, k: metrics.reciprocal_rank(films, relevant),
    # trec_eval divides by all that is relevant, even where a list of k cannot hold it.
    f"map_cut_{K}": lambda films, relevant, k: (
        metrics.average_precision_at_k(films, relevant, k) * min(k, len(relevant)) / len(relevant)
    ),
}


def made_up_lists(n_users=300, n_items=60):
    """Lists of 1 to 40 films, and 1 to 30 films to find."""
    rng = np.random.default_rng(11)
    for _ in range(n_users):
        films = rng.permutation(n_items)[: rng.integers(1, 41)].tolist()
        relevant = set(rng.permutation(n_items)[: rng.integers(1, 31)].tolist())
        yield films, relevant


@pytest.mark.parametrize("name", OURS)
def test_agrees_with_trec_eval(name):
    lists = list(made_up_lists())
    # trec_eval orders by score, and nothing is level here.
    runs = {
        str(user): {str(film): float(-place) for place, film in enumerate(films)}
        for user, (films, _) in enumerate(lists)
    }
    wanted = {str(user): {str(film): 1 for film in relevant} for user, (_, relevant) in enumerate(lists)}
    measure = name if "_cut_" not in name and not name[-1].isdigit() else f"{name.rpartition('_')[0]}.{K}"
    theirs = pytrec_eval.RelevanceEvaluator(wanted, {measure}).evaluate(runs)
    for user, (films, relevant) in enumerate(lists):
        assert OURS[name](films, relevant, K) == pytest.approx(theirs[str(user)][name], abs=1e-9)
