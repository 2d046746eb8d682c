"""Write the generated files of the TypeScript client: `python -m tests.typescript.generate`, which `make typescript` runs."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from cli import typescript_methods
from cli.openapi_document import openapi_document
from tests.typescript.node import CLIENT, run_node, script_of

SCHEMA = CLIENT / "src" / "generated" / "schema.ts"


def schema() -> str:
    """Return the types of the OpenAPI document as openapi-typescript writes them."""
    with tempfile.TemporaryDirectory() as folder:
        document, types = Path(folder) / "openapi.json", Path(folder) / "schema.ts"
        document.write_text(json.dumps(openapi_document(), ensure_ascii=False), "utf-8")
        run_node(script_of("openapi-typescript", "bin/cli.js"), document, "--output", types)
        return types.read_text("utf-8")


if __name__ == "__main__":
    SCHEMA.write_text(schema(), "utf-8")
    typescript_methods.PAGE.write_text(typescript_methods.written(), "utf-8")
