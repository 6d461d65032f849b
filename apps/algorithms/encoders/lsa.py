"""Latent semantic analysis: the words that films share, in few dimensions."""

import hashlib
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
from scipy import sparse

from apps.algorithms.encoders.base import Progress, finite_rows
from apps.algorithms.matrices import empty_csr
from apps.algorithms.types import Float32

DIMENSIONS = 256
MIN_FILMS = 2
"""A word that one film alone has likens it to nothing."""
_SEED = 1
_ROUNDS = 5
_FORMAT = 1


class Lsa:
    """TF-IDF of the words of a film's text, and the first right singular vectors of that matrix.

    ``tf = 1 + log(count)``, ``idf = log((1 + n) / (1 + films with it)) + 1``, rows of length one, English
    stop words left out; then ``X ~ U S V'`` and a film is its row of ``U S``, again of length one
    (Deerwester et al., "Indexing by Latent Semantic Analysis", 1990; the randomized decomposition of
    Halko, Martinsson and Tropp 2011). A film's vector depends on all the others.

    Parameters
    ----------
    dimensions
        At most that many; fewer where there are fewer films or words.
    """

    name = "lsa"
    is_pointwise = False

    def __init__(self, dimensions: int = DIMENSIONS) -> None:
        self.dimensions = dimensions

    @property
    def fingerprint(self) -> str:
        told = (_FORMAT, self.dimensions, MIN_FILMS, _SEED, _ROUNDS, version("scikit-learn"))
        return hashlib.sha256(repr(told).encode()).hexdigest()

    def encode(self, given: Sequence[str], progress: Progress) -> Float32:
        words = _tf_idf(given)
        vectors = finite_rows(_decompose(words, self.dimensions), self.name)
        progress(len(given))
        return vectors


def _tf_idf(texts: Sequence[str]) -> sparse.csr_matrix:
    """Unit rows, CSR ``(len(texts), n_words)``; no column where no word is shared."""
    # Only what encodes pays for scikit-learn: a second, and 60 MB.
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        sublinear_tf=True,
        min_df=min(MIN_FILMS, max(len(texts), 1)),
        stop_words="english",
        strip_accents="unicode",
        dtype=np.float32,
    )
    try:
        return sparse.csr_matrix(vectorizer.fit_transform(texts))
    except ValueError:  # no word passes
        return empty_csr(len(texts), 0)


def _decompose(words: sparse.csr_matrix, dimensions: int) -> Float32:
    from sklearn.utils.extmath import randomized_svd

    kept = min(dimensions, *words.shape)
    if kept == 0 or words.nnz == 0:
        return np.zeros((words.shape[0], 0), dtype=np.float32)
    left, values, _ = randomized_svd(words, kept, n_iter=_ROUNDS, random_state=_SEED)
    return np.asarray(left * values, dtype=np.float32)
