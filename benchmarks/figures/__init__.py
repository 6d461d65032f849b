"""What ``benchmarks/evaluation.py`` runs, what is expected of it, and the page that shows it."""
