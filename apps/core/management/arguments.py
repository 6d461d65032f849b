"""What options of commands may look like."""

import argparse


def positive(text: str) -> int:
    """A whole number from 1."""
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
