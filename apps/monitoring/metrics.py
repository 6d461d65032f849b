"""What Prometheus reads: the counters of the web processes, and the site as its rows say it is."""

from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count, Max
from kombu.exceptions import OperationalError
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from apps.core.checks import PER_PROCESS_BROKER
from apps.core.models import Heartbeat
from apps.experiments.policy import current_policy
from apps.monitoring.parts.database import age_seconds
from apps.monitoring.parts.shared import queue_depth
from apps.monitoring.readiness import readiness
from apps.training.backlog import backlog
from apps.training.models import ModelVersion, TrainingRun


def exposition() -> bytes:
    """In Prometheus' text format: counters first, then the gauges read now. Six queries at most."""
    site = CollectorRegistry()
    site.register(_Site())
    return generate_latest(_counters()) + generate_latest(site)


def _counters() -> CollectorRegistry:
    """Of all processes that share ``PROMETHEUS_MULTIPROC_DIR``; without it of the one that answers."""
    if settings.METRICS_DIR is None:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared, path=str(settings.METRICS_DIR))  # type: ignore[no-untyped-call] # its own
    return shared


class _Site(Collector):
    def collect(self) -> Iterator[Metric]:
        yield _parts()
        yield _heartbeats()
        yield from _models()
        yield from _training()
        yield from _queue()


def _gauge(name: str, says: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"marquee_{name}", says, labels=labels)


def _parts() -> Metric:
    gauge = _gauge("part_ok", "1 while the part is as /readyz wants it, else 0", "part")
    for part in readiness().parts:
        gauge.add_metric([part.name], float(part.is_ok))
    return gauge


def _heartbeats() -> Metric:
    gauge = _gauge("heartbeat_age_seconds", "Seconds since the last sign of life", "name")
    for name, at in Heartbeat.objects.values_list("name", "at"):
        gauge.add_metric([name], age_seconds(at))
    return gauge


def _models() -> Iterator[Metric]:
    age = _gauge("model_age_seconds", "Seconds since the ratings of the live version were read", "recipe")
    info = _gauge("model_info", "1 for the version that is live", "recipe", "version")
    live = ModelVersion.objects.filter(status=ModelVersion.Status.LIVE)
    for recipe, version, read_at in live.values_list("recipe__name", "name", "read_at"):
        age.add_metric([recipe], age_seconds(read_at))
        info.add_metric([recipe, version], 1)
    yield age
    yield info


def _training() -> Iterator[Metric]:
    runs = _gauge("training_runs", "Runs in the database, by status", "status")
    ended = _gauge("training_last_end_timestamp_seconds", "When a run last ended, by status", "status")
    by_status = TrainingRun.objects.order_by().values_list("status").annotate(Count("pk"), Max("finished_at"))
    found = {status: (count, at) for status, count, at in by_status}
    for status in TrainingRun.Status.values:
        count, at = found.get(status, (0, None))
        runs.add_metric([status], count)
        if at is not None:
            ended.add_metric([status], at.timestamp())
    yield runs
    yield ended
    waiting = _gauge("training_backlog_ratings", "Ratings that the live model has not seen")
    waiting.add_metric([], backlog(current_policy().recipe).buffer_size)
    yield waiting


def _queue() -> Iterator[Metric]:
    """Nothing where no queue is shared, or nobody answers: then ``part_ok`` of the broker says so."""
    if settings.CELERY_BROKER_URL.startswith(PER_PROCESS_BROKER):
        return
    try:
        depth = queue_depth()
    except (OperationalError, OSError):
        return
    gauge = _gauge("queue_depth", "Tasks that wait for a worker")
    gauge.add_metric([], depth)
    yield gauge
