"""Folders of weights, as ``save_pretrained`` of Hugging Face's libraries writes them."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apps.algorithms.encoders.base import EncoderRefused

PACKAGES = "pip install -r requirements-embeddings.txt"


def require_folder(folder: Path, setting: str) -> Path:
    """``folder``, if it holds a model whose weights are plain arrays; raises ``EncoderRefused``."""
    # Not is_dir of a path, which raises for a name that no disk takes and where it may not look.
    if not os.path.isdir(folder):
        raise EncoderRefused(f"{setting} names {folder}, and there is no such folder: copy the model there.")
    if not os.path.isfile(folder / "config.json") or not list(folder.glob("*.safetensors")):
        raise EncoderRefused(
            f"{setting} names {folder}, which holds no model: config.json and model.safetensors belong there."
        )
    return folder


def folder_digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of all files below ``folder``, hexadecimal.

    Raises ``EncoderRefused`` for a file that cannot be read.
    """
    total = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if os.path.isfile(path)):
        try:
            with file.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise EncoderRefused(f"{file} cannot be read: {error.strerror}.") from error
        total.update(f"{file.relative_to(folder).as_posix()}\0{digest}\n".encode())
    return total.hexdigest()


@contextmanager
def refusing(sentence: str) -> Iterator[None]:
    """Whatever is raised inside becomes an ``EncoderRefused``: ``sentence`` and, on one line, what it was.

    The libraries raise whatever they stumble over, in a damaged file as in a model that does not fit.
    """
    try:
        yield
    except EncoderRefused:
        raise
    except Exception as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise EncoderRefused(f"{sentence} ({told}).") from error


def stay_offline() -> None:
    """Nothing is asked of another host; for before the libraries are loaded."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")


def hide_their_bars() -> None:
    """Progress of reading weights would stand in logs. Raises ``ImportError``."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
