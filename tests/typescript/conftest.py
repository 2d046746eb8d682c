from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from cli.temporary_stack import temporary_stack
from tests.typescript.browser import PageServer

_SECRET = base64.b64encode(b"a secret of twenty-four b").decode()


@pytest.fixture(scope="package")
def page() -> Iterator[PageServer]:
    """Yield the server of a page, whose origin the service lets in. A test gives it files and starts it."""
    page = PageServer({})
    yield page
    page.close()


@pytest.fixture(scope="package")
def service_url(page: PageServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the service, a worker and Redis, and return the service's address."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CONVSCOPE_CORS_ORIGINS", page.url)
        environment.setenv("CONVSCOPE_MODEL_UPLOADS", "true")
        environment.setenv("CONVSCOPE_MODELS_DIR", str(tmp_path_factory.mktemp("typescript") / "models"))
        with temporary_stack("typescript-tests") as stack:
            yield stack.url


@pytest.fixture
def context(service_url: str) -> dict[str, Any]:
    """Return what the TypeScript tests need: the service, and a webhook that Python has signed as Standard Webhooks says."""
    body, message, time = json.dumps({"type": "job.succeeded", "data": {"id": "01K"}}), "msg_1", 1_790_000_000
    digest = hmac.new(base64.b64decode(_SECRET), f"{message}.{time}.{body}".encode(), hashlib.sha256).digest()
    headers = {
        "webhook-id": message,
        "webhook-timestamp": str(time),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    return {"url": service_url, "webhook": {"body": body, "headers": headers, "secret": f"whsec_{_SECRET}", "time": time}}
