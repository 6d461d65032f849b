"""The Python that runs this project, as people type it."""

import os
import sys
from pathlib import Path


def interpreter() -> str:
    """Such as ``.venv/bin/python``: seen from the working directory when it lies below it."""
    used = Path(sys.executable)
    return os.path.relpath(used) if used.is_relative_to(Path.cwd()) else str(used)
