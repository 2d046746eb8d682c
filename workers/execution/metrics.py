"""A worker process's Prometheus metrics."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_BATCH = (1, 2, 4, 8, 16, 32, 64)


class WorkerMetrics:
    """Each process has its own registry; nothing is registered at import."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._executions = Counter(
            "convscope_executions", "Executions ended, by how they ended.", ("state", "method", "model"), registry=self.registry
        )
        self._running = Gauge("convscope_executions_running", "Executions held now.", registry=self.registry)
        self._device = Histogram(
            "convscope_device_seconds",
            "One call on the device: a batch, or a slice.",
            ("method",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._batch = Histogram(
            "convscope_batch_size", "Jobs in one call on the device.", ("method",), buckets=_BATCH, registry=self.registry
        )
        self._decode = Histogram("convscope_decode_seconds", "From image bytes to the input.", buckets=_SECONDS, registry=self.registry)
        self._render = Histogram(
            "convscope_render_seconds", "Drawing and encoding a job's results.", ("method",), buckets=_SECONDS, registry=self.registry
        )

    def ended(self, state: str, method: str, model: str) -> None:
        self._executions.labels(state, method, model).inc()

    def running(self, count: int) -> None:
        self._running.set(count)

    def device_call(self, method: str, batch: int, seconds: float) -> None:
        self._device.labels(method).observe(seconds)
        self._batch.labels(method).observe(batch)

    def decoded(self, seconds: float) -> None:
        self._decode.observe(seconds)

    def rendered(self, method: str, seconds: float) -> None:
        self._render.labels(method).observe(seconds)

    def watch_models(self, loaded: Callable[[], int], traces: Callable[[], int]) -> None:
        """`loaded` models and functions traced (compiled) so far are read whenever the metrics are."""
        Gauge("convscope_loaded_models", "Models in memory.", registry=self.registry).set_function(loaded)
        Gauge("convscope_traces", "TensorFlow functions traced since start; steady once warm.", registry=self.registry).set_function(traces)

    def serve(self, port: int) -> tuple[WSGIServer, Thread]:
        """Answers `GET /metrics` on the loopback interface."""
        return start_http_server(port, addr="127.0.0.1", registry=self.registry)
