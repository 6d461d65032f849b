"""What all importers share: where files lie, how they are read, what happens to a line that is wrong.

Nothing here knows what a film or a rating is.
"""
