"""Films, slates and feedback for other programs."""
