"""Fill a disk of 64 MiB that holds the files of convscope."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from pathlib import Path

from benchmarks.fault_drill.registry import Fault, Figure, none
from benchmarks.fault_drill.site import DrillSite, send_cam
from benchmarks.fault_drill.small_disk import small_disk
from jobstore.files import digest_of, sha256_of
from tests.wait import until

_LEFT = 2**20  # bytes of the disk that another program leaves free
_SIZE = 64
_WRITING_SECONDS = 1.0


async def run(folder: Path, short: bool) -> list[Figure]:
    jobs = 20 if short else 100
    with small_disk(folder / "small", _SIZE) as disk:
        files = disk / "files"
        async with DrillSite(folder, files_url=files.as_uri(), min_free_disk=_LEFT, fast_in_flight=4) as site:
            site.start_service()
            site.start_workers(1, 0.05)
            await site.ready(1)
            await site.answers()
            done = (await send_cam(site.client, 0, "wait=60")).headers["location"]
            stat = os.statvfs(disk)
            filler = disk / "of another program"
            filler.write_bytes(bytes(stat.f_bavail * stat.f_frsize - _LEFT))
            statuses: Counter[int] = Counter()
            codes: Counter[str] = Counter()
            for number in range(1, jobs + 1):
                answer = await send_cam(site.client, number)
                statuses[answer.status_code] += 1
                codes[answer.json().get("code", "accepted")] += 1
            read = (await site.client.get(done)).status_code
            torn = await asyncio.to_thread(_torn, files)
            count = sum(1 for path in files.rglob("*") if path.is_file())
            filler.unlink()

            async def accepted() -> bool:
                return (await send_cam(site.client, 10_000)).status_code == 202

            await until(accepted, 60)
    return [
        Figure("answers to submissions by status", "no 500", f"{dict(statuses)}", set(statuses) <= {202, 503} and statuses[503] > 0),
        Figure("reasons of refusals", "storage_full", f"{dict(codes)}", set(codes) <= {"accepted", "storage_full"}),
        Figure("reading a job while the disk is full", "200 or 410", f"{read}", read in (200, 410)),
        none("torn files", torn, count),
    ]


def _torn(folder: Path) -> int:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    time.sleep(_WRITING_SECONDS)  # the worker still writes and deletes
    return sum(map(_is_torn, paths))


def _is_torn(path: Path) -> bool:
    try:
        content = path.read_bytes()
        return path.suffix == ".part" or digest_of(content) != sha256_of(path.name)
    except FileNotFoundError:  # it was deleted, or it is whole and has its own name
        return False


FAULT = Fault("disk-full", f"The disk of the files is full ({_SIZE} MiB)", run, 80)
