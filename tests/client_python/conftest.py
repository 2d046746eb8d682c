"""Give the tests the service over HTTP, with a worker whose results they know."""

from tests.service.batches.conftest import feeder, working
from tests.service.conftest import app, settings, url, worker

__all__ = ["app", "feeder", "settings", "url", "worker", "working"]
