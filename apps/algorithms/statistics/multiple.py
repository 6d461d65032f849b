"""Several p-values of one experiment."""

from collections.abc import Sequence
from typing import Literal, get_args

Method = Literal["holm", "bh", "bonferroni"]


def adjust(p_values: Sequence[float], method: Method = "holm") -> list[float]:
    """The p-values as they stand beside each other, in the same order, each 0 to 1.

    ``holm`` (1979) and ``bonferroni`` bound the chance of one false alarm among all, ``bh`` the share of
    false ones among those told (Benjamini and Hochberg 1995, for independent ones). Raises ``ValueError`` for
    a p outside 0 to 1 and another method.
    """
    if method not in get_args(Method):
        raise ValueError(f"the methods are {', '.join(get_args(Method))}, not {method!r}")
    for p_value in p_values:
        if not 0 <= p_value <= 1:
            raise ValueError(f"a p-value lies between 0 and 1, not at {p_value}")
    n = len(p_values)
    if method == "bonferroni":
        return [min(1.0, p_value * n) for p_value in p_values]
    adjusted = [0.0] * n
    order = sorted(range(n), key=p_values.__getitem__)
    if method == "holm":
        largest = 0.0
        for rank, spot in enumerate(order):
            largest = max(largest, min(1.0, (n - rank) * p_values[spot]))
            adjusted[spot] = largest
        return adjusted
    smallest = 1.0
    for rank, spot in reversed(list(enumerate(order, start=1))):
        smallest = min(smallest, n / rank * p_values[spot])
        adjusted[spot] = smallest
    return adjusted
