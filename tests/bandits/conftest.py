from tests.pages.conftest import nothing_kept

__all__ = ["nothing_kept"]
