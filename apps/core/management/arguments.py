"""What options of commands may look like."""

import argparse
from collections.abc import Callable


def up_to(most: int) -> Callable[[str], int]:
    """A whole number from 1 to ``most``."""

    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and 1 <= int(text[:10]) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {most}")

    return parse


def positive(text: str) -> int:
    """A whole number from 1."""
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
