from dataclasses import dataclass

import pytest

from apps.algorithms.arms.parameters import Settings, choice, optional_real, read_settings, real, whole
from apps.algorithms.base import InvalidParameter


@dataclass(frozen=True)
class Sample(Settings):
    count: int = whole(3, low=1, high=9)
    rate: float = real(0.5, low=0.0, high=1.0)
    limit: float | None = optional_real(None, low=1.0, high=2.0)
    mode: str = choice("a", options=("a", "b"))


def test_defaults_fill_what_is_not_said():
    settings = read_settings(Sample, "sample", {"rate": 1, "limit": 1.5})
    assert settings.as_parameters() == {"count": 3, "rate": 1, "limit": 1.5, "mode": "a"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"count": 0}, "count must be a whole number from 1 to 9, not 0."),
        ({"count": 2.0}, "count must be a whole number from 1 to 9, not 2.0."),
        ({"count": True}, "count must be a whole number from 1 to 9, not True."),
        ({"count": "4"}, "count must be a whole number from 1 to 9, not '4'."),
        ({"rate": 1.1}, "rate must be a number from 0 to 1, not 1.1."),
        ({"rate": None}, "rate must be a number from 0 to 1, not None."),
        ({"rate": float("inf")}, "rate must be a number from 0 to 1, not inf."),
        ({"limit": 3}, "limit must be a number from 1 to 2, or None, not 3."),
        ({"mode": ["a"]}, "mode must be one of a, b, not ['a']."),
    ],
)
def test_refuses_a_value_out_of_range(given, sentence):
    with pytest.raises(InvalidParameter) as refusal:
        read_settings(Sample, "sample", given)
    assert str(refusal.value) == f"sample: {sentence}"


def test_refuses_an_unknown_name():
    with pytest.raises(InvalidParameter) as refusal:
        read_settings(Sample, "sample", {"counts": 1})
    assert (
        str(refusal.value)
        == "sample has no parameter 'counts'; its parameters are: count, limit, mode, rate."
    )
