"""The small house of films, with a model of the test's own."""

from tests.pages.conftest import house, nothing_kept

__all__ = ["house", "nothing_kept"]
