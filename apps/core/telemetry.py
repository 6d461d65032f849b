"""Counters and timers of the process, in Prometheus' own client.

Labels take a bounded number of values each: routes, never paths; surfaces and reasons, never ids.
"""

from prometheus_client import Counter, Histogram

degraded_slates = Counter(
    "marquee_degraded_slates", "Slates that fell back to popular, by reason", ["surface", "reason"]
)
replaced_arms = Counter(
    "marquee_replaced_arms", "Slates by the default arm, as the version lacks their own", ["surface", "arm"]
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
requests = Counter("marquee_requests", "Requests answered", ["route", "method", "status"])
request_seconds = Histogram(
    "marquee_request_seconds",
    "Seconds from a request to its answer",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
unhandled_errors = Counter(
    "marquee_unhandled_errors", "Requests that ended in an error nobody foresaw", ["kind"]
)
cache_errors = Counter("marquee_cache_errors", "Calls to the shared cache that failed")
lost_nudges = Counter("marquee_lost_nudges", "Tasks that could not be published")
