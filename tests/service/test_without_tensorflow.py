"""The service runs without TensorFlow and the worker's other packages."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from service.settings import ServiceSettings
from tests.service.fake_worker import FakeWorker

BLOCKED = """
import asyncio, importlib.abc, sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"tensorflow", "keras", "tf_keras", "matplotlib", "h5py", "workers", "cli"}:
            raise ModuleNotFoundError(f"{name} is not installed here", name=name)

sys.meta_path.insert(0, Blocked())

import httpx
from jobstore.store import JobStore
from service.app import create_app
from service.settings import ServiceSettings

async def main():
    settings = ServiceSettings()
    store = JobStore.connect(settings.redis_url, settings)
    transport = httpx.ASGITransport(app=create_app(settings, store))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        assert (await client.get("/readyz")).json()["status"] == "starting"
        assert (await client.get("/openapi.json")).status_code == 200
        form = {"model": "vgg16", "channels": "3"}
        answer = await client.post("/v1/filters", data=form, headers={"Prefer": "respond-async"})
        assert answer.status_code == 202, answer.text
        print(answer.json()["state"])
    await store.close()

asyncio.run(main())
"""


async def test_it_answers(settings: ServiceSettings, worker: FakeWorker) -> None:
    environment = {"CONVSCOPE_REDIS_URL": settings.redis_url or "", "CONVSCOPE_DATA_DIR": str(settings.data_dir)}
    command = [sys.executable, "-c", BLOCKED]
    done = await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "queued"
    assert (await worker.claim("slow")).method == "filters"
