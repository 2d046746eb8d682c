"""Print the OpenAPI document without starting the service: `python -m cli.openapi_document`.

`make typescript` makes the types of the TypeScript client from it. It is the document of a service with all settings at their defaults.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from jobstore.store import JobStore
from service.app import create_app
from service.settings import ServiceSettings

_NOWHERE = "redis://127.0.0.1:1"  # nothing connects to it, because no request is answered


def openapi_document() -> dict[str, Any]:
    """Return the document that `/openapi.json` answers, apart from what depends on the settings of a service."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        settings = ServiceSettings(redis_url=_NOWHERE, data_dir=here, models_dir=here / "models", models_file=here / "models.toml")
        store = JobStore.connect(_NOWHERE, settings)
        try:
            return create_app(settings, store).openapi()
        finally:
            asyncio.run(store.close())


if __name__ == "__main__":
    print(json.dumps(openapi_document(), ensure_ascii=False, indent=1))  # noqa: T201 - printing is what it is for
