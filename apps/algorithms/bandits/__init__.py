"""Bandits over arms: what is believed of each, and which ones to draw."""
