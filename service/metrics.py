"""The metrics that Prometheus reads from the service. Each application has its own registry."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from jobstore.records import QueueDepth
from schemas.health import WorkerStatus

CONTENT_TYPE = CONTENT_TYPE_LATEST
# Seconds, from a cached answer to the longest wait.
_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """Counters of this process, or of all processes that share its port, and gauges of the store when Prometheus asks."""

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

        self._webhooks = Counter(
            "convscope_webhooks",
            "The number of attempts to deliver a webhook, by outcome: delivered, failed, given_up, or dropped for a disabled endpoint.",
            ("outcome",),
            registry=self._registry,
        )

    def count_webhook(self, outcome: str) -> None:
        self._webhooks.labels(outcome).inc()

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
        """Return all metrics in Prometheus' text format. `depth` is None if the broker does not answer; the queue is then left out.

        If several processes share the port, the counters are the sums over all of them, so it does not matter which process is asked.
        """
        now = CollectorRegistry()
        now.register(_StoreState(depth, workers, evictions))
        counters = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # the library then counts in files of that folder, see `cli.api_processes`
            counters = CollectorRegistry()
            MultiProcessCollector(counters)
        return generate_latest(counters) + generate_latest(now)


class _StoreState(Collector):
    """The gauges of the state that is in Redis now. They are the same in every process of the service."""

    def __init__(self, depth: QueueDepth | None, workers: Sequence[WorkerStatus], evictions: Mapping[tuple[str, str], int]) -> None:
        self._depth, self._workers, self._evictions = depth, workers, evictions

    def collect(self) -> Iterator[GaugeMetricFamily]:
        jobs = GaugeMetricFamily(
            "convscope_jobs", "The number of executions that have not ended, by lane and state.", labels=["lane", "state"]
        )
        oldest = GaugeMetricFamily("convscope_queue_oldest_seconds", "The age of the oldest queued execution in seconds.", labels=["lane"])
        for lane, lane_depth in self._depth.lanes.items() if self._depth else ():
            jobs.add_metric([lane, "queued"], lane_depth.queued)
            jobs.add_metric([lane, "running"], lane_depth.running)
            oldest.add_metric([lane], lane_depth.oldest)
        meaning = "The number of results, uploads, pieces and records that were deleted because there was no room, by kind and reason."
        evictions = GaugeMetricFamily("convscope_evictions", meaning, labels=["kind", "reason"])
        for (kind, reason), count in self._evictions.items():
            evictions.add_metric([kind, reason], count)
        yield from (jobs, oldest, evictions)
        yield GaugeMetricFamily("convscope_workers", "The number of workers that are alive.", value=len(self._workers))
        yield GaugeMetricFamily("convscope_broker_up", "1 if Redis answers, 0 if it does not.", value=self._depth is not None)
