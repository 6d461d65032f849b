from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from apps.algorithms.arms.content import Content, tf_idf_rows
from apps.algorithms.types import Interactions
from tests.algorithms.contract import ReadsHistory, make_history, make_rng
from tests.algorithms.factories import make_features, make_interactions


class TestContent(ReadsHistory):
    arm = "content"


@pytest.fixture
def described() -> Interactions:
    """Six films; 0 and 4 share a rare keyword, all but film 5 share a common one."""
    terms = sparse.csr_matrix(np.array([[1, 1], [0, 1], [0, 1], [0, 1], [1, 1], [0, 0]], dtype=np.float32))
    plain = make_interactions([], n_users=1, n_items=6)
    features = replace(make_features(6), terms=terms, term_names=("rare", "common"))
    return replace(plain, features=features)


def test_a_rare_keyword_outweighs_a_common_one(described):
    arm = Content(genre_weight=0.0).fit(described, make_rng())
    row = arm.scores([make_history([0])])[0]
    assert row[4] == pytest.approx(1.0)
    assert row[4] > row[1] == row[2] == row[3] > row[5] == 0


def test_rows_are_unit_tf_idf_vectors(described):
    rows = tf_idf_rows(described.features, genre_weight=0.0).toarray()
    rare, common = np.log(7 / 3) + 1, np.log(7 / 6) + 1
    expected = np.array([rare, common]) / np.hypot(rare, common)
    assert rows[0, :2] == pytest.approx(expected)
    assert rows[5].tolist() == [0, 0, 0, 0, 0]


def test_genres_count_beside_terms(described):
    row = Content(genre_weight=5.0).fit(described, make_rng()).scores([make_history([0])])[0]
    assert row[3] > row[1]


def test_contributions_add_up_to_the_cosine(described):
    arm = Content().fit(described, make_rng())
    history = make_history([0, 1, 5])
    sums = arm.contributions(history, np.arange(6)).sum(axis=1)
    assert sums == pytest.approx(arm.scores([history])[0], abs=1e-6)
