"""What a version was fitted on, kept for the next update: who rated which film, and the films' features.

The one place outside of the database that knows people's ratings, and so apart from the model files: no
process that serves reads it. One a recipe, that of its live version; one that is lost, damaged or of
another version costs a fit from nothing and no more.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from django.conf import settings
from scipy import sparse

from apps.algorithms.matrices import pack_csr, unpack_csr
from apps.algorithms.types import ALIGNED, Int64, Interactions, ItemFeatures, ItemIndex
from apps.training.artifacts import (
    Artifact,
    ArtifactRefused,
    Groups,
    discard_artifact,
    open_artifact,
    save_artifact,
    verify_artifact,
)
from apps.training.data import EXPLICIT_RATINGS, DataParameters, read_data
from apps.training.rows import ARM_NAMES

_FOLDER_MODE = 0o700
_FLAT_FEATURES = ("primary_genre", "vectors", "is_long_tail", "is_niche", "n_shown")
_WIDE_FEATURES = ("genres", "terms")


@dataclass(frozen=True, eq=False)
class Corpus:
    """``people`` is int64 ``(n_users,)``: whose row each of ``interactions.ratings`` is, ascending.

    ``read_at`` is when the reading began: what was written later may not be in it. ``data`` says what was
    read, and ``mean_inverse`` what weights by inverse propensity were divided by (``mean_inverse_of``).
    ``stored`` is where it was read from, None for one that came out of the database.
    """

    interactions: Interactions
    people: Int64
    read_at: datetime
    data: DataParameters = EXPLICIT_RATINGS
    mean_inverse: float = 1.0
    stored: Artifact | None = None

    @property
    def n_ratings(self) -> int:
        """Explicit ones."""
        return int(self.interactions.explicit.ratings.nnz)


def corpus_folder() -> Path:
    """``CORPUS_DIR``, else the folder beside that of the model files."""
    if settings.CORPUS_DIR:
        return Path(settings.CORPUS_DIR)
    models = Path(settings.ARTIFACT_DIR)
    return models.with_name(f"{models.name}-corpora")


def save_corpus(version: str, corpus: Corpus, *, before: Corpus | None = None) -> None:
    """Keeps what ``version`` was fitted on. What is the same in ``before`` is shared with it.

    Raises ``OSError`` when the disk refuses, and leaves nothing behind then.
    """
    corpus_folder().mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    features = corpus.interactions.features
    about = {
        "read_at": corpus.read_at.isoformat(),
        "data": asdict(corpus.data),
        "mean_inverse": corpus.mean_inverse,
        "arm_names": list(corpus.interactions.arm_names),
        "genre_names": list(features.genre_names),
        "term_names": list(features.term_names),
    }
    save_artifact(
        corpus_folder() / version, _pack(corpus), about, before=before.stored if before is not None else None
    )


def open_corpus(version: str) -> Corpus:
    """What ``version`` was fitted on; arrays are mapped. Raises ``ArtifactRefused``."""
    path = corpus_folder() / version
    artifact = open_artifact(path)
    verify_artifact(path)
    try:
        return _unpack(artifact)
    except (KeyError, ValueError, TypeError) as error:
        detail = f"{path} was written by a program that this one does not understand: {error}."
        raise ArtifactRefused("format", detail) from error


def discard_corpus(version: str) -> None:
    """Removes it, and what an interrupted ``save_corpus`` left of it. Never raises."""
    discard_artifact(corpus_folder() / version)


def kept_corpora() -> list[str]:
    """Names of versions, and of what else is a folder there."""
    folder = corpus_folder()
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _pack(corpus: Corpus) -> Groups:
    interactions, features = corpus.interactions, corpus.interactions.features
    films = {"ids": interactions.items.ids, **{name: getattr(features, name) for name in _FLAT_FEATURES}}
    for name in _WIDE_FEATURES:
        films |= pack_csr(name, getattr(features, name))
    aligned = {name: getattr(interactions, name) for name in ALIGNED}
    ratings = {
        **pack_csr("stars", interactions.ratings),
        **{name: array for name, array in aligned.items() if array is not None},
    }
    return {"people": {"ids": corpus.people}, "ratings": ratings, "films": films}


def _unpack(artifact: Artifact) -> Corpus:
    films, ratings, about = artifact.groups["films"], artifact.groups["ratings"], artifact.about
    stars: sparse.csr_matrix = unpack_csr("stars", ratings)
    people: Int64 = artifact.groups["people"]["ids"]
    items = ItemIndex(films["ids"])
    if stars.shape != (len(people), len(items)) or np.any(np.diff(people) <= 0):
        raise ValueError("its ratings do not fit its people and films")
    arm_names = tuple(about.get("arm_names", ()))
    if arm_names not in ((), ARM_NAMES):
        raise ValueError("other arms had shown the films that it tells of")
    features = ItemFeatures(
        genre_names=tuple(about["genre_names"]),
        term_names=tuple(about["term_names"]),
        genres=unpack_csr("genres", films),
        terms=unpack_csr("terms", films),
        primary_genre=films["primary_genre"],
        vectors=films["vectors"],
        is_long_tail=films["is_long_tail"],
        is_niche=films["is_niche"],
        n_shown=films["n_shown"],
    )
    return Corpus(
        interactions=Interactions(
            ratings=stars,
            items=items,
            features=features,
            arm_names=arm_names,
            **{name: ratings[name] for name in ALIGNED if name in ratings},
        ),
        people=people,
        read_at=datetime.fromisoformat(about["read_at"]),
        # One of before recipes could say what they learn from has ratings alone.
        data=read_data(about.get("data", {})),
        mean_inverse=float(about.get("mean_inverse", 1.0)),
        stored=artifact,
    )
