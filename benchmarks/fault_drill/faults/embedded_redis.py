"""Kill the Redis that `convscope serve` has started."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
import psutil

from benchmarks.fault_drill.registry import Fault, Figure, none, within
from benchmarks.fault_drill.site import ROOT, unique_photo
from tests.wait import until

_START_SECONDS = 180.0


async def run(folder: Path, short: bool) -> list[Figure]:
    kills = 1 if short else 3
    variables = {"CONVSCOPE_DATA_DIR": str(folder / "data"), "CONVSCOPE_REDIS_APPENDFSYNC": "always", "PYTHONPATH": str(ROOT)}
    log = folder / "serve.log"
    with log.open("wb") as stream:
        command = [sys.executable, "-m", "cli.main", "serve", "--port", "0"]
        serve = subprocess.Popen(command, cwd=folder, env=os.environ | variables, stdout=stream, stderr=stream)  # noqa: ASYNC220, S603
    try:
        await until(lambda: "\n  curl " in log.read_text("utf-8") or serve.poll() is not None, _START_SECONDS)
        found = re.search(r"is ready on (http://\S+)", log.read_text("utf-8"))
        assert found, log.read_text("utf-8")
        async with httpx.AsyncClient(base_url=found[1], timeout=30, trust_env=False) as client:
            figures = await _kill_and_ask(client, serve.pid, kills)
        alive = serve.poll() is None
        return [Figure("`convscope serve` after its Redis died", "goes on", "goes on" if alive else "ended", alive), *figures]
    finally:
        serve.terminate()
        await asyncio.to_thread(serve.wait, 120)


async def _kill_and_ask(client: httpx.AsyncClient, pid: int, kills: int) -> list[Figure]:
    accepted: list[str] = []
    statuses: Counter[str] = Counter()
    longest, number = 0.0, 0

    async def upload() -> bool:
        nonlocal number
        number += 1
        try:
            answer = await client.post("/v1/images", files={"image": unique_photo(number)})
        except httpx.TransportError as error:
            statuses[type(error).__name__] += 1
            return False
        statuses[str(answer.status_code)] += 1
        if answer.status_code == 201:
            accepted.append(answer.json()["id"])
        return answer.status_code == 201

    for _ in range(kills):
        for _ in range(20):
            assert await upload()
        (server,) = [each for each in psutil.Process(pid).children() if "redis-server" in each.name()]
        server.send_signal(signal.SIGKILL)
        began = time.monotonic()
        await asyncio.to_thread(server.wait, 10)
        await until(upload, 120)
        longest = max(longest, time.monotonic() - began)
    lost = [image for image in accepted if (await client.get(f"/v1/images/{image}")).status_code != 200]
    return [
        within("uploads were accepted again, at the latest", longest, 5),
        Figure("answers by status", "201, or 503 meanwhile", f"{dict(statuses)}", set(statuses) <= {"201", "503"}),
        none("accepted uploads that were lost", len(lost), len(accepted)),
    ]


FAULT = Fault("embedded-redis", "The Redis that `convscope serve` started is killed", run, 55)
