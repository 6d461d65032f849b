import os
import subprocess
import sys

import numpy as np
import pytest

from apps.algorithms.encoders.lsa import Lsa
from apps.algorithms.types import Float32

SPACE = "astronaut rocket planet orbit"
HEIST = "burglar vault diamond getaway"
TEXTS = [f"{SPACE} alien", f"{SPACE} crew", f"{HEIST} crew", f"{HEIST} alien", ""]


def encode(texts: list[str], dimensions: int = 3) -> Float32:
    return Lsa(dimensions).encode(texts, lambda count: None)


def test_films_that_share_words_lie_close() -> None:
    vectors = encode(TEXTS)
    alike = vectors @ vectors.T
    assert alike[0, 1] > 0.6
    assert alike[2, 3] > 0.6
    assert abs(alike[0, 2]) < 0.4


def test_two_words_that_stand_with_a_third_liken_films_that_share_none() -> None:
    texts = ["rocket", "planet", "vault", *["rocket orbit", "orbit planet"] * 3, *["vault diamond"] * 6]
    rocket, planet, vault = encode(texts, dimensions=2)[:3]
    assert rocket @ planet > 0.9
    assert abs(rocket @ vault) < 0.1


def test_rows_have_length_one_and_an_empty_text_none() -> None:
    vectors = encode(TEXTS)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1, 1, 0])


def test_the_same_texts_give_the_same_vectors() -> None:
    np.testing.assert_array_equal(encode(TEXTS), encode(TEXTS))


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        ["alone"],
        ["one", "two"],
        ["", "", ""],
        ["the and of"] * 3,
        ["!", "?"],
        ["same"] * 4,
        ["a b"] * 2,
    ],
)
def test_stands_texts_of_which_little_can_be_made(texts: list[str]) -> None:
    vectors = encode(texts, dimensions=128)
    lengths = np.linalg.norm(vectors, axis=1)
    assert vectors.shape[0] == len(texts)
    assert np.all((lengths == 0) | (np.abs(lengths - 1) < 1e-5))


def test_a_small_catalogue_has_fewer_dimensions() -> None:
    assert encode(TEXTS, dimensions=128).shape == (5, 5)


def test_says_how_many_are_done() -> None:
    done: list[int] = []
    Lsa().encode(TEXTS, done.append)
    assert sum(done) == 5


def test_the_fingerprint_follows_what_the_vectors_follow() -> None:
    assert Lsa(64).fingerprint == Lsa(64).fingerprint != Lsa(65).fingerprint


def test_no_encoder_loads_a_library_before_it_encodes() -> None:
    code = (
        "import sys, apps.algorithms.encoders.lsa as lsa, apps.algorithms.encoders.minilm, "
        "apps.algorithms.encoders.posters; lsa.Lsa().fingerprint; "
        "sys.exit(bool(set(sys.modules) & {'sklearn', 'torch', 'transformers', 'PIL', 'django'}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, env=dict(os.environ)).returncode == 0
