from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send
from uvicorn import Config

from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from service.app import create_app
from service.dependencies import services_of
from service.server import DrainingServer
from service.settings import ServiceSettings
from tests.event_loops import no_blocked_loops
from tests.schemas.tiny import description
from tests.service.fake_worker import FakeWorker, catalog_of


@pytest.fixture(autouse=True)
def _event_loops() -> Iterator[None]:
    with no_blocked_loops():
        yield


@pytest.fixture
def settings(store_settings: StoreSettings, tmp_path: Path) -> ServiceSettings:
    shared = store_settings.model_dump(exclude={"models_file"})
    return ServiceSettings(**shared, models_file=tmp_path / "models.toml", describe_wait=10.0)


@pytest.fixture
async def worker(store: JobStore, settings: ServiceSettings) -> FakeWorker:
    """Return a worker that has published `vgg16`, which has five classes and three convolutions."""
    worker = FakeWorker(store, catalog_of(settings.models_file, settings.models_dir))
    await worker.publish(description())
    return worker


@pytest.fixture
def app(settings: ServiceSettings, store: JobStore) -> FastAPI:
    return create_app(settings, store)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client that calls the application directly, without a socket."""

    async def in_a_task_of_its_own(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.create_task(app(scope, receive, send))

    transport = httpx.ASGITransport(app=in_a_task_of_its_own, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service", timeout=30) as client:
        yield client


@pytest.fixture
async def url(app: FastAPI) -> AsyncIterator[str]:
    """Yield the address of the application behind a real HTTP server on a free loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = DrainingServer(Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5), services_of(app))
        serving = asyncio.create_task(server.serve([listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving
