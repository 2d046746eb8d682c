"""The metrics that Prometheus reads from the service. Each application has its own registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from jobstore.records import QueueDepth
from schemas.health import WorkerStatus

CONTENT_TYPE = CONTENT_TYPE_LATEST
# Seconds, from a cached answer to the longest wait.
_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """Counters of this process, and gauges that are set from the store whenever Prometheus asks."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "convscope_http_requests", "The number of requests that were answered.", ("route", "method", "status"), registry=self._registry
        )
        self._latency = Histogram(
            "convscope_http_request_seconds",
            "The seconds from a request to the end of its answer.",
            ("route", "method"),
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self._submitted = Counter(
            "convscope_jobs_submitted", "The number of jobs that were accepted.", ("method", "model"), registry=self._registry
        )
        self._cached = Counter(
            "convscope_job_cache_hits",
            "The number of jobs that an identical earlier result answered.",
            ("method", "model"),
            registry=self._registry,
        )
        self._drawn = Histogram(
            "convscope_drawing_seconds",
            "The seconds that it took to draw a picture when it was first fetched, by the job's method.",
            ("method",),
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self._jobs = Gauge(
            "convscope_jobs", "The number of executions that have not ended, by lane and state.", ("lane", "state"), registry=self._registry
        )
        self._oldest = Gauge(
            "convscope_queue_oldest_seconds", "The age of the oldest queued execution in seconds.", ("lane",), registry=self._registry
        )
        self._evictions = Gauge(
            "convscope_evictions",
            "The number of results, uploads, pieces and records that were deleted because there was no room, by kind and reason. "
            "All processes report the same numbers.",
            ("kind", "reason"),
            registry=self._registry,
        )
        self._workers = Gauge("convscope_workers", "The number of workers that are alive.", registry=self._registry)
        self._broker_up = Gauge("convscope_broker_up", "1 if Redis answers, 0 if it does not.", registry=self._registry)

    def count_answer(self, route: str, method: str, status: int, seconds: float) -> None:
        self._requests.labels(route, method, str(status)).inc()
        self._latency.labels(route, method).observe(seconds)

    def count_job(self, method: str, model: str, *, cached: bool) -> None:
        self._submitted.labels(method, model).inc()
        if cached:
            self._cached.labels(method, model).inc()

    def count_drawing(self, method: str, seconds: float) -> None:
        """Count a picture that was drawn because it was fetched, and the seconds that this took."""
        self._drawn.labels(method).observe(seconds)

    def render(self, depth: QueueDepth | None, workers: Sequence[WorkerStatus], evictions: Mapping[tuple[str, str], int]) -> bytes:
        """Return all metrics in Prometheus' text format. `depth` is None if the broker does not answer; the queue is then left out."""
        for (kind, reason), count in evictions.items():
            self._evictions.labels(kind, reason).set(count)
        self._broker_up.set(depth is not None)
        self._workers.set(len(workers))
        self._jobs.clear()
        self._oldest.clear()
        for lane, lane_depth in depth.lanes.items() if depth else ():
            self._jobs.labels(lane, "queued").set(lane_depth.queued)
            self._jobs.labels(lane, "running").set(lane_depth.running)
            self._oldest.labels(lane).set(lane_depth.oldest)
        return generate_latest(self._registry)
