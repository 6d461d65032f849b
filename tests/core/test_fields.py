from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError
from rest_framework.fields import Field

from apps.core.api.fields import FloatField, IdField, IntegerField, StarsField, TextField


def refusal(field: Field, value: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        field.run_validation(value)
    return str(refused.value.detail[0])


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_an_integer_is_taken_as_number_and_as_digits(value: int) -> None:
    assert IntegerField().run_validation(value) == IntegerField().run_validation(str(value)) == value


@pytest.mark.parametrize(
    "value", [True, 1.0, 1.5, "1.0", " 1", "1 ", "１", "1_000", "0x1", "", [], {}, "1" * 20, "+1", "1e3"]
)
def test_an_integer_is_not_what_merely_looks_like_one(value: Any) -> None:
    assert refusal(IntegerField(), value) == "A whole number is needed."


def test_an_integer_fits_the_database() -> None:
    assert refusal(IntegerField(), 2**63) == "Ensure this value is less than or equal to 9223372036854775807."
    assert refusal(IdField(), 0) == "Ensure this value is greater than or equal to 1."


@pytest.mark.parametrize("value", [True, "nan", "inf", "-Infinity", "１.５", "x", "", [], float("nan")])
def test_a_float_is_finite_and_a_number(value: Any) -> None:
    assert refusal(FloatField(), value) == "A finite number is needed."


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_takes_every_finite_float(value: float) -> None:
    assert FloatField().run_validation(value) == FloatField().run_validation(repr(value)) == value


@given(st.integers(1, 10))
def test_takes_half_stars(halves: int) -> None:
    assert StarsField().run_validation(halves / 2) == halves / 2


@pytest.mark.parametrize("value", [0, 0.25, 5.5, -1, 4.9999999, 1e308])
def test_refuses_other_stars(value: float) -> None:
    assert refusal(StarsField(), value) == "A rating is 0.5 to 5 stars in steps of a half."


@pytest.mark.parametrize("value", [5, 1.5, True, [], {}])
def test_a_text_is_a_string(value: Any) -> None:
    assert refusal(TextField(), value) == "Not a valid string."
    assert TextField().run_validation(" a ") == "a"
