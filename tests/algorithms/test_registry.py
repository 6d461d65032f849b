import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from apps.algorithms.base import InvalidParameter
from apps.algorithms.registry import (
    ARMS,
    default_parameters,
    fit_arms,
    load_arms,
    make_arm,
    vector_readers,
    with_needs,
)
from tests.algorithms.contract import make_rng
from tests.algorithms.factories import make_random_interactions


def test_every_arm_is_listed_under_its_own_name():
    assert [arm.name for arm in ARMS.values()] == list(ARMS)


def test_refuses_an_unknown_arm():
    with pytest.raises(InvalidParameter) as refusal:
        make_arm("oracle")
    assert str(refusal.value) == f"There is no arm 'oracle'; the arms are: {', '.join(ARMS)}."


def test_defaults_are_json_scalars_that_make_the_same_arm():
    for name in ARMS:
        defaults = default_parameters(name)
        assert all(isinstance(value, int | float | str | None) for value in defaults.values())
        assert make_arm(name, defaults).parameters == defaults


def test_every_class_documents_its_parameters():
    for name, arm in ARMS.items():
        for parameter in default_parameters(name):
            assert parameter in (arm.__doc__ or ""), (name, parameter)


def test_fits_what_is_asked_for_and_what_that_needs_once():
    asked = []
    parameters = {"hybrid": {"weight_als": 0.0, "weight_content": 0.0, "weight_genre": 0.0}}
    interactions = make_random_interactions(make_rng())
    arms = fit_arms(
        ["hybrid", "svd"], interactions, make_rng(), parameters=parameters, before_each=asked.append
    )
    assert list(arms) == asked == ["popular", "svd", "sequence", "hybrid"]
    assert with_needs(["hybrid", "svd"], parameters) == tuple(asked)


def test_an_arm_says_whether_it_reads_vectors():
    known = make_random_interactions(make_rng())
    vectors = make_rng().standard_normal((known.n_items, 4)).astype(np.float32)
    others = replace(known, features=replace(known.features, vectors=vectors))
    before, after = (fit_arms(ARMS, interactions, make_rng()) for interactions in (known, others))
    reading = [name for name in ARMS if not same_arrays(before[name].arrays(), after[name].arrays())]
    assert reading == [name for name, arm in ARMS.items() if arm.reads_vectors] == ["embeddings"]


def same_arrays(one, other):
    return all(np.array_equal(array, other[name]) for name, array in one.items())


def test_a_blend_reads_vectors_where_its_parts_do():
    assert vector_readers(ARMS) == ("embeddings", "long_tail")
    parameters = {"hybrid": {"weight_embeddings": 1.0}, "long_tail": {"weight_embeddings": 0.0}}
    assert vector_readers(["hybrid", "popular", "long_tail", "hybrid"], parameters) == ("hybrid",)


def test_an_arm_is_the_same_whatever_is_fitted_beside_it():
    interactions = make_random_interactions(make_rng())
    parameters = {"als": {"regularization": 0.5, "factors": 4}}
    alone = fit_arms(["als"], interactions, make_rng(), parameters=parameters)["als"]
    among = fit_arms(ARMS, interactions, make_rng(), parameters=parameters)["als"]
    np.testing.assert_array_equal(alone.arrays()["factors"], among.arrays()["factors"])


def test_refuses_to_load_a_blend_without_its_parts():
    with pytest.raises(InvalidParameter, match=r"^hybrid needs .* beside it"):
        load_arms({"hybrid": ({}, {})})


def test_the_numeric_core_imports_no_django():
    code = (
        "import sys, apps.algorithms.registry, apps.algorithms.prediction; sys.exit('django' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
