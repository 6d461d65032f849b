"""Both sides of what may drift: what training saw, and what is rated and shown now."""

from apps.monitoring.drift.comparing import Compared
from apps.monitoring.drift.rated import compare_ratings
from apps.monitoring.drift.served import SERVED, compare_served
from apps.training.baseline import SUBJECTS as RATED

SUBJECTS = (*RATED, *SERVED)
"""Of each day; ``scores`` is told of each arm as well, as ``scores_svd``."""

__all__ = ["SUBJECTS", "Compared", "compare_ratings", "compare_served"]
