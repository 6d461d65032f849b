"""Head: the few films that most ratings go to."""

from collections.abc import Iterable

HEAD_SHARE = 0.8


def head_of(counts: Iterable[tuple[int, int]]) -> frozenset[int]:
    """Ids of the most rated films that together make up the first 80 % of all ratings.

    ``counts`` are (movie id, number of ratings); of films rated alike the smaller id comes first.
    A film without ratings is never in the head.
    """
    ordered = sorted(((count, -movie_id) for movie_id, count in counts if count > 0), reverse=True)
    wanted = HEAD_SHARE * sum(count for count, _ in ordered)
    head, reached = set(), 0
    for count, negative_id in ordered:
        if reached >= wanted:
            break
        head.add(-negative_id)
        reached += count
    return frozenset(head)
