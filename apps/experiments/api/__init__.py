"""Experiments for programs and staff: their design, where they stand, and what they say."""
