"""Films and ratings out of MovieLens data sets, whatever their layout.

To add a layout: one file with a ``Source`` (``records.py``), and one line in ``layouts.py``.
"""
