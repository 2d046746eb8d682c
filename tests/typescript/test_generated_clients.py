"""The clients that the common generators make from the OpenAPI document have right types, and work with the real service."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.typescript.node import CLIENT, packages, run_node, script_of

_PROGRAMS = CLIENT / "tests" / "generated_clients"
_PHOTO = Path(__file__).parents[2] / "samples" / "cat.jpg"
_TYPES = {
    "compilerOptions": {
        "target": "ES2022",
        "lib": ["ES2023", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
        "types": ["node"],
        "module": "ESNext",
        "moduleResolution": "Bundler",
        "strict": True,
        "noEmit": True,
    }
}
pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture
def folder(service_url: str, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Return a folder that has the running service's document and the programs, and from which Node finds the packages."""
    folder = packages() / ".cache" / request.node.name.replace("[", "-").rstrip("]")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(_PROGRAMS, folder)
    (folder / "package.json").write_text('{"type": "module"}', "utf-8")
    with urllib.request.urlopen(f"{service_url}/openapi.json", timeout=60) as answer:  # noqa: S310 - loopback
        (folder / "openapi.json").write_bytes(answer.read())
    yield folder
    shutil.rmtree(folder)


def check(folder: Path, program: str, url: str) -> None:
    """Check the types of a program, and run it."""
    config = folder / "tsconfig.json"
    config.write_text(json.dumps(_TYPES | {"files": [f"{program}.ts"]}), "utf-8")
    run_node(script_of("typescript", "bin/tsc"), "--project", config)
    bundle = folder / f"{program}.mjs"
    flags = ("--bundle", "--format=esm", "--platform=node", "--log-level=error", f"--outfile={bundle}")
    run_node(script_of("esbuild", "bin/esbuild"), folder / f"{program}.ts", *flags)
    assert run_node(bundle, url, _PHOTO) == "every answer was as its type says\n"


def test_openapi_typescript_with_openapi_fetch(folder: Path, service_url: str) -> None:
    run_node(script_of("openapi-typescript", "bin/cli.js"), folder / "openapi.json", "--output", folder / "schema.ts")
    check(folder, "openapi_fetch", service_url)


def test_hey_api(folder: Path, service_url: str) -> None:
    arguments = ("--input", folder / "openapi.json", "--output", folder / "hey", "--client", "@hey-api/client-fetch")
    run_node(script_of("@hey-api/openapi-ts", "bin/run.js"), *arguments)
    check(folder, "hey_api", service_url)
