"""The Prometheus metrics of one worker process."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)


class WorkerMetrics:
    """Count and time what a worker process does. Each process has a registry of its own, and nothing is registered at import."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._executions = Counter(
            "convscope_executions",
            "Executions that have ended, by outcome.",
            ("state", "method", "model"),
            registry=self.registry,
        )
        self._running = Gauge("convscope_executions_running", "Number of executions that the worker holds.", registry=self.registry)
        self._device = Histogram(
            "convscope_device_seconds",
            "Duration of one call on the device, which is a batch or a slice.",
            ("method",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._batch = Histogram(
            "convscope_batch_size", "Number of jobs in one call on the device.", ("method",), buckets=_BATCH_SIZES, registry=self.registry
        )
        self._decode = Histogram(
            "convscope_decode_seconds", "Time from an image's bytes to the model's input.", buckets=_SECONDS, registry=self.registry
        )
        self._render = Histogram(
            "convscope_render_seconds", "Time to draw and encode a job's results.", ("method",), buckets=_SECONDS, registry=self.registry
        )

    def ended(self, outcome: str, method: str, model: str) -> None:
        """Count an execution that has ended."""
        self._executions.labels(outcome, method, model).inc()

    def running(self, count: int) -> None:
        """Set the number of executions that the worker holds."""
        self._running.set(count)

    def device_call(self, method: str, batch: int, seconds: float) -> None:
        """Record one call on the device."""
        self._device.labels(method).observe(seconds)
        self._batch.labels(method).observe(batch)

    def decoded(self, seconds: float) -> None:
        """Record how long a job's images took from their bytes to the model's input."""
        self._decode.observe(seconds)

    def rendered(self, method: str, seconds: float) -> None:
        """Record how long a job's results took to draw and encode."""
        self._render.labels(method).observe(seconds)

    def watch_models(self, loaded: Callable[[], int], traces: Callable[[], int]) -> None:
        """Add two gauges that are read with the metrics: the number of loaded models, and of TensorFlow functions traced so far."""
        Gauge("convscope_loaded_models", "Number of models in memory.", registry=self.registry).set_function(loaded)
        Gauge(
            "convscope_traces",
            "Number of TensorFlow functions traced since the start. It stays the same once the worker is warm.",
            registry=self.registry,
        ).set_function(traces)

    def serve(self, port: int, host: str = "127.0.0.1") -> tuple[WSGIServer, Thread]:
        """Answer `GET /metrics` on this port of the address `host`. Return the server and its thread."""
        return start_http_server(port, addr=host, registry=self.registry)
