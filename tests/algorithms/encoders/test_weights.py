import pytest

from apps.algorithms.encoders.base import EncoderRefused
from apps.algorithms.encoders.weights import refusing


def test_a_refusal_says_on_one_line_what_was_raised() -> None:
    with pytest.raises(EncoderRefused) as refusal, refusing("The model cannot be read: copy it anew"):
        raise RuntimeError("two lines,\n  and more")
    assert str(refusal.value) == (
        "The model cannot be read: copy it anew (RuntimeError: two lines, and more)."
    )


def test_a_refusal_that_is_one_stays_as_it_is() -> None:
    with pytest.raises(EncoderRefused) as refusal, refusing("The model cannot be read: copy it anew"):
        raise EncoderRefused("Its weights are not a ResNet's.")
    assert str(refusal.value) == "Its weights are not a ResNet's."


def test_whoever_interrupts_is_not_refused() -> None:
    with pytest.raises(KeyboardInterrupt), refusing("The model cannot be read: copy it anew"):
        raise KeyboardInterrupt
