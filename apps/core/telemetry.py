"""Counters and timers of the process, in Prometheus' own client."""

from prometheus_client import Counter, Histogram

degraded_slates = Counter(
    "marquee_degraded_slates", "Slates that fell back to popular, by reason", ["surface", "reason"]
)
slates = Counter("marquee_slates", "Slates served", ["surface", "policy"])
feedback = Counter("marquee_feedback", "Feedback received", ["kind", "status"])
slate_seconds = Histogram(
    "marquee_slate_seconds",
    "Seconds to make and record one slate",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2),
)
artifact_failures = Counter(
    "marquee_artifact_failures", "Model versions that could not be loaded", ["reason"]
)
lost_nudges = Counter("marquee_lost_nudges", "Tasks that could not be published")
