import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.algorithms.assignment import bucket, choose_variant, in_coverage

UNITS = [f"unit-{number}" for number in range(20_000)]


def first_eight_bytes(salt, unit):
    digest = hashlib.new("sha256", salt.encode() + b":" + unit.encode()).digest()
    return int.from_bytes(digest[:8], "big")


def test_bucket_is_the_known_number():
    # The sha256 of ":" begins e7ac0786 668e0ff0.
    assert bucket("", "") == int("e7ac0786668e0ff0", 16) / 2**64
    assert bucket("salt", "unit") == first_eight_bytes("salt", "unit") / 2**64


@given(salt=st.text(max_size=8), unit=st.text(max_size=8))
def test_bucket_is_the_first_eight_bytes_of_the_hash(salt, unit):
    assert bucket(salt, unit) == first_eight_bytes(salt, unit) / 2**64


def test_bucket_depends_on_the_salt():
    assert bucket("a", "unit") != bucket("b", "unit")


def test_buckets_are_uniform_over_units():
    counts = np.bincount([int(bucket("salt", unit) * 10) for unit in UNITS], minlength=10)
    # Chi-square, 9 degrees of freedom: 33.7 is exceeded by chance once in 10,000.
    assert ((counts - 2000) ** 2 / 2000).sum() < 33.7


def test_growing_coverage_keeps_everybody_who_was_in():
    small = {unit for unit in UNITS if in_coverage("salt", unit, 0.2)}
    large = {unit for unit in UNITS if in_coverage("salt", unit, 0.5)}
    assert small < large
    # Five standard deviations: by chance once in 1.7 million.
    assert abs(len(small) - 4000) < 5 * (20_000 * 0.2 * 0.8) ** 0.5


def test_coverage_of_nothing_and_of_everything():
    assert not any(in_coverage("salt", unit, 0) for unit in UNITS[:1000])
    assert all(in_coverage("salt", unit, 1) for unit in UNITS[:1000])


@pytest.mark.parametrize("coverage", [-0.1, 1.1, float("nan")])
def test_refuses_coverage_outside_zero_to_one(coverage):
    with pytest.raises(ValueError, match=rf"^coverage must lie between 0 and 1, not {coverage}$"):
        in_coverage("salt", "unit", coverage)


def test_variants_divide_the_buckets_in_order_of_their_names():
    weights = {"treatment": 0.3, "control": 0.7}
    for unit in UNITS[:500]:
        expected = "control" if first_eight_bytes("split", unit) / 2**64 < 0.7 else "treatment"
        assert choose_variant("split", unit, weights) == expected


def test_the_order_of_the_weights_moves_nobody():
    forth, back = {"a": 0.2, "b": 0.3, "c": 0.5}, {"c": 0.5, "b": 0.3, "a": 0.2}
    for unit in UNITS[:500]:
        assert choose_variant("s", unit, forth) == choose_variant("s", unit, back)


def test_shares_of_variants_are_their_weights():
    chosen = [choose_variant("split", unit, {"a": 0.1, "b": 0.9}) for unit in UNITS]
    # Five standard deviations: by chance once in 1.7 million.
    assert abs(chosen.count("a") - 2000) < 5 * (20_000 * 0.1 * 0.9) ** 0.5


def test_a_variant_of_weight_zero_is_never_chosen():
    assert {choose_variant("s", unit, {"a": 0.0, "b": 1.0, "c": 0.0}) for unit in UNITS[:500]} == {"b"}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"a": 0.5, "b": 0.6}, r"^variant weights must sum to 1, not 1\.1$"),
        ({}, r"^variant weights must sum to 1, not 0$"),
        ({"a": -0.5, "b": 1.5}, r"^variant weights must be finite and not negative$"),
        ({"a": float("nan")}, r"^variant weights must be finite and not negative$"),
    ],
)
def test_refuses_weights_that_are_no_distribution(weights, message):
    with pytest.raises(ValueError, match=message):
        choose_variant("s", "unit", weights)
