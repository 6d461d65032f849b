"""A viewer's own ratings out of the file that another site, or this one, gave them.

A file is read (``formats``), its films are found (``matching``), and it is kept as a preview beside
what the viewer has said already (``conflicts``). Applying writes, undoing restores. To add a site:
one file in ``formats``, and one line in its ``FORMATS``.
"""
