"""Settings of the encoders that can be wrong.

A folder that is missing is a warning: the site serves without it, and so does a fit.
"""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from apps.training.encoding import TEXT_ENCODERS

_PACKAGES = "pip install -r requirements-embeddings.txt"
_LEAST, _MOST = 0.0, 1.0


@register()
def check_encoders(**_: Any) -> list[CheckMessage]:
    return [*_check_text(), *_check_posters(), *_check_packages(), *_check_folder_of_vectors()]


def _check_text() -> Iterator[CheckMessage]:
    if settings.TEXT_ENCODER not in TEXT_ENCODERS:
        says = f"TEXT_ENCODER is {settings.TEXT_ENCODER!r}, and there is no such encoder"
        yield Error(says, hint=f"Set TEXT_ENCODER to {' or '.join(TEXT_ENCODERS)}", id="training.E001")
    elif settings.TEXT_ENCODER == "minilm":
        yield from _check_folder("TEXT_ENCODER_PATH", "training.W001")


def _check_posters() -> Iterator[CheckMessage]:
    if not _LEAST <= settings.POSTER_WEIGHT <= _MOST:
        says = f"POSTER_WEIGHT must lie between 0 and 1, not {settings.POSTER_WEIGHT}"
        yield Error(says, id="training.E002")
    if bool(settings.POSTER_DIR) != bool(settings.POSTER_ENCODER_PATH):
        says = "Of POSTER_DIR and POSTER_ENCODER_PATH only one is set: no poster is looked at"
        yield Warning(says, hint="Set both, or none", id="training.W003")
    yield from _check_folder("POSTER_ENCODER_PATH", "training.W001")
    yield from _check_folder("POSTER_DIR", "training.W001")


def _check_folder(name: str, number: str) -> Iterator[CheckMessage]:
    folder = getattr(settings, name)
    # Not is_dir of a path, which raises where it may not look: no command would start.
    if folder and not os.path.isdir(folder):
        says = f"{name} names {folder}, and there is no such folder: films that are new have no vectors of it"
        yield Warning(says, hint="Copy it there, or name another one", id=number)


def _check_packages() -> Iterator[CheckMessage]:
    is_asked = settings.TEXT_ENCODER == "minilm" or settings.POSTER_ENCODER_PATH
    if is_asked and not all(find_spec(name) for name in ("torch", "transformers", "sentence_transformers")):
        says = "TEXT_ENCODER or POSTER_ENCODER_PATH needs packages that are missing"
        yield Warning(says, hint=_PACKAGES, id="training.W002")


def _check_folder_of_vectors() -> Iterator[CheckMessage]:
    if settings.VECTOR_DIR and os.path.isfile(settings.VECTOR_DIR):
        says = f"VECTOR_DIR names {settings.VECTOR_DIR}, which is a file: no vector can be kept"
        yield Error(says, hint="Name a folder", id="training.E003")
