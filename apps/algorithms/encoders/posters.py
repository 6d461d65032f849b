"""An image network that looks at the poster."""

import hashlib
from collections.abc import Sequence
from functools import cached_property
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

_BATCH = 16
_FORMAT = 1
MAX_PIXELS = 40_000_000
"""A poster of more is not opened: a small file may unpack to any size."""


class Posters:
    """What a residual network holds in its last layer, averaged over the image, at length one.

    The features that it would tell kinds of things by (He et al., "Deep Residual Learning", 2016), as
    likeness of look. A file that is no image gives a row of zeros, as if there were none.

    Parameters
    ----------
    path
        The folder of a ``ResNetModel``, as ``transformers`` saves it, with its ``preprocessor_config.json``.
    """

    name = "posters"
    is_pointwise = True

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def fingerprint(self) -> str:
        """Follows the weights. Raises ``EncoderRefused`` where there are none."""
        digest = folder_digest(require_folder(self.path, "POSTER_ENCODER_PATH"))
        return hashlib.sha256(f"{_FORMAT} {digest}".encode()).hexdigest()

    def encode(self, given: Sequence[Path], progress: Progress) -> Float32:
        folder = require_folder(self.path, "POSTER_ENCODER_PATH")
        with refusing(f"The model in {folder} cannot be read: copy it anew"):
            network = _Network.load(folder)
            rows = np.zeros((len(given), network.dimensions), dtype=np.float32)
        for start in range(0, len(given), _BATCH):
            files = given[start : start + _BATCH]
            with refusing(f"The model in {folder} cannot look at posters: copy it anew, or name another"):
                images = {spot: image for spot, file in enumerate(files, start) if (image := _open(file))}
                if images:
                    rows[list(images)] = network.look_at(list(images.values()))
            progress(len(files))
        return finite_rows(rows, self.name)


class _Network:
    """A network and what it wants done to an image first."""

    def __init__(self, model: Any, prepare: Any) -> None:
        self.model, self.prepare = model.eval(), prepare

    @classmethod
    def load(cls, folder: Path) -> "_Network":
        stay_offline()
        try:
            from transformers import AutoImageProcessor, ResNetModel

            hide_their_bars()
        except ImportError:
            raise EncoderRefused(f"Posters need packages that are missing: {PACKAGES}") from None
        model, loaded = ResNetModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        prepare = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        if loaded["missing_keys"]:  # the library fills them with chance
            raise EncoderRefused(f"POSTER_ENCODER_PATH names {folder}, whose weights are not a ResNet's.")
        return cls(model, prepare)

    @property
    def dimensions(self) -> int:
        return int(self.model.config.hidden_sizes[-1])

    def look_at(self, images: list[Any]) -> Float32:
        """float32 ``(len(images), dimensions)``"""
        import torch

        with torch.inference_mode():
            seen = self.model(**self.prepare(images, return_tensors="pt")).pooler_output
        return np.asarray(seen.flatten(1).numpy(), dtype=np.float32)


def _open(file: Path) -> Any:
    """The image in colours, or None where the file holds none that can be read."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as image:
            if image.width * image.height > MAX_PIXELS:
                return None
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
