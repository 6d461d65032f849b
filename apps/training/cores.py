"""The cores that fits and measurements may take."""

from django.conf import settings
from threadpoolctl import threadpool_limits


def training_cores() -> threadpool_limits:
    """Within the block BLAS and OpenMP take ``TRAINING_THREADS``: a fit is a process of its own."""
    return threadpool_limits(settings.TRAINING_THREADS)
