"""One file per way to recommend. ``apps.algorithms.registry`` is the list of them."""
