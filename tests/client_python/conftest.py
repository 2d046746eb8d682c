"""Give the tests the service over HTTP: with a worker whose results they know, or the whole of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from cli.temporary_stack import temporary_stack
from tests.service.batches.conftest import feeder, working
from tests.service.conftest import app, settings, url, worker

__all__ = ["app", "feeder", "settings", "url", "worker", "working"]


class WholeService(NamedTuple):
    """A running service with real workers: its address and its models folder."""

    url: str
    models: Path


@pytest.fixture(scope="module")
def whole_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeService]:
    """Run everything for the tests of a module."""
    models = tmp_path_factory.mktemp("service") / "models"
    models.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVSCOPE_MODELS_DIR", str(models))
        patch.setenv("CONVSCOPE_MODEL_UPLOADS", "true")
        with temporary_stack("client") as stack:
            yield WholeService(stack.url, models)
