"""What an import or its undoing adds to the films' sums of ratings."""

from apps.catalog.services import count_ratings
from apps.ratings.models import ImportRow


class Tally:
    """Changes gathered over many films, counted at the end in one go."""

    def __init__(self) -> None:
        self._deltas: dict[int, tuple[float, int]] = {}

    def add(self, row: ImportRow, *, before: float | None, after: float | None) -> None:
        """That the film's rating went from ``before`` to ``after``; None is no rating."""
        if row.kind != ImportRow.Kind.RATING or row.movie_id is None:
            return
        stars = (after or 0.0) - (before or 0.0)
        number = (after is not None) - (before is not None)
        if stars or number:
            self._deltas[row.movie_id] = (stars, number)

    def count(self) -> None:
        count_ratings(deltas=self._deltas)
