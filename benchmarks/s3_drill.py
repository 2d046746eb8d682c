"""Store photos and results at an s3:// address, with two services and two workers, and show that quota, expiry and orphans work there.

Redis, the services, the claim loops and the supervisors are the real ones, and a local server of S3 takes the files. Run it with
`make drill-s3`, whose environment has the server.

Example:
    python -m benchmarks.s3_drill
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from ulid import ULID

from benchmarks.fault_drill.ends import ended_jobs, figures_of_ends
from benchmarks.fault_drill.registry import Figure, none
from benchmarks.fault_drill.site import DrillSite, send_cam
from benchmarks.s3_server import BUCKET, S3Server
from jobstore.account import ORPHAN_AGE
from jobstore.files import FileStore
from tests.jobstore.samples import PHOTO, claim_one, result, submission
from tests.wait import until

_JOBS = 40
_QUOTA = 2 * 2**20  # bytes; a job's photo and pictures take 140 KB


def main() -> int:
    server = S3Server()
    missed = 0
    try:
        for drill in (_shared, _quota, _expiry, _orphans, _away):
            print(f"\n{(drill.__doc__ or '').splitlines()[0]}", flush=True)
            with tempfile.TemporaryDirectory() as folder:
                for figure in asyncio.run(drill(server, Path(folder))):
                    print(f"  {figure}", flush=True)
                    missed += not figure.holds
    finally:
        server.stop()
    print(f"\n{missed} promises were missed." if missed else "\nEvery promise holds.", flush=True)
    return 1 if missed else 0


def _site(folder: Path, name: str, **settings: Any) -> DrillSite:
    return DrillSite(folder, files_url=f"s3://{BUCKET}/{name}", **settings)


async def _shared(server: S3Server, folder: Path) -> list[Figure]:
    """Two services and two workers share the files: each reads what the others wrote."""
    async with _site(folder, "shared") as site:
        other = await _start_all(site, workers=2)
        try:
            answers = [await send_cam((site.client, other.client)[number % 2], number) for number in range(_JOBS)]
            ids = [answer.json()["id"] for answer in answers]
            records = await ended_jobs(site.store, ids, "anonymous")
            figures = await figures_of_ends(site.store, records)
            wrong = 0
            for number, record in enumerate(records):
                client = (other.client, site.client)[number % 2]  # not the service that accepted the job
                overlay = await client.get(f"/v1/jobs/{record.id}/artifacts/overlay", headers={"Accept": "*/*"})
                stored = next(each for each in record.artifacts if each.name == "overlay")
                wrong += overlay.status_code != 200 or hashlib.sha256(overlay.content).hexdigest() != stored.sha256
            workers = {entry["worker"] for entry in site.said("execution ended")}
        finally:
            await other.client.aclose()
    objects = server.objects("shared")
    return [
        *figures,
        none("pictures that the other service did not give", wrong, len(records)),
        Figure("workers that took part", "2", f"{len(workers)}", len(workers) == 2),
        none("objects whose content is not that of their name", _torn(server, "shared"), len(objects)),
    ]


class _OtherService:
    """The second service of a site: another process on another port."""

    def __init__(self, site: DrillSite) -> None:
        import socket

        from benchmarks.fault_drill.site import start_service

        with socket.create_server(("127.0.0.1", 0)) as listener:
            site.own(start_service(listener, site.variables, site.folder / "other.log"))
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.client = httpx.AsyncClient(base_url=url, timeout=60, trust_env=False)


async def _start_all(site: DrillSite, workers: int) -> _OtherService:
    site.start_service()
    other = _OtherService(site)
    site.start_workers(workers, 0.1)
    await site.ready(workers)
    await site.answers()
    await site.answers(client=other.client)
    return other


async def _quota(server: S3Server, folder: Path) -> list[Figure]:
    """The quota holds: the oldest results give way, and nothing is refused."""
    async with _site(folder, "quota", max_stored_bytes=_QUOTA) as site:
        site.start_service()
        site.start_workers(2, 0.05)
        await site.ready(2)
        await site.answers()
        answers = [await send_cam(site.client, number, "wait=60") for number in range(_JOBS)]
        statuses = Counter(answer.status_code for answer in answers)
        await site.store.sweep()
        kept = sum(server.objects("quota").values())
        places = [f"{answer.headers['location']}/artifacts/overlay" for answer in (answers[0], answers[-1])]
        first, last = [(await site.client.get(place, headers={"Accept": "*/*"})).status_code for place in places]
    return [
        Figure(f"answers to {_JOBS} calls", "200", f"{dict(statuses)}", set(statuses) == {200}),
        Figure("bytes in the bucket", f"at most {_QUOTA:,}", f"{kept:,}", 0 < kept <= _QUOTA),
        Figure("the oldest and the newest picture", "410 and 200", f"{first} and {last}", (first, last) == (410, 200)),
    ]


async def _expiry(server: S3Server, folder: Path) -> list[Figure]:
    """Photos and results go when their time is over."""
    async with _site(folder, "expiry", result_ttl=2) as site:
        await site.store.jobs.submit(submission(1))
        await site.store.queue.complete(await claim_one(site.store), result())
        before = len(server.objects("expiry"))
        began = time.monotonic()

        async def gone() -> bool:
            await site.store.sweep()
            return not server.objects("expiry")

        await until(gone, 30)
        seconds = time.monotonic() - began
    return [Figure(f"{before} objects whose life was 2 s", "gone", f"gone after {seconds:.1f} s", before >= 2)]


async def _orphans(server: S3Server, folder: Path) -> list[Figure]:
    """Objects that no account knows are found when they are old enough, also if they came after the last search."""
    async with _site(folder, "orphans") as site:
        files = FileStore(site.settings)
        await site.store.jobs.submit(submission(1))
        kept = set(server.objects("orphans"))
        searches: list[bool] = []
        for number in range(2):
            old = ULID.from_timestamp(time.time() - ORPHAN_AGE - 60)
            content = b"orphan %d" % number
            sha256 = hashlib.sha256(content).hexdigest()
            server.filesystem().pipe_file(f"{BUCKET}/orphans/{sha256[:2]}/{sha256}-{old}", content)
            searches.append(files.names_older_than(ORPHAN_AGE) == [f"{sha256}-{old}"])
            files.remove([f"{sha256}-{old}"])
        await site.store.sweep()
        left = set(server.objects("orphans"))
        photo = (await site.store.images.file_of(await claim_one(site.store))) == PHOTO
    return [
        Figure("searches that found the orphan and nothing else", "2", f"{sum(searches)}", all(searches)),
        Figure("objects of jobs after a sweep", "all are there", f"{len(left)} of {len(kept)}", left == kept and photo),
    ]


async def _away(server: S3Server, folder: Path) -> list[Figure]:
    """The server of S3 is away and comes back empty."""
    async with _site(folder, "away") as site:
        site.start_service()
        site.start_workers(1, 0.05)
        await site.ready(1)
        await site.answers()
        done = (await send_cam(site.client, 1, "wait=60")).headers["location"]
        server.stop()
        refused = [await send_cam(site.client, number) for number in (2, 3)]
        reading = await site.client.get(f"{done}/artifacts/overlay", headers={"Accept": "*/*"})
        record = await site.client.get(done)
        server.start()
        again = await send_cam(site.client, 4, "wait=60")
        lost = await site.client.get(f"{done}/artifacts/overlay", headers={"Accept": "*/*"})
    statuses = sorted({answer.status_code for answer in refused})
    return [
        Figure("submissions while it is away", "503", f"{statuses}", statuses == [503]),
        Figure("a picture and its job while it is away", "503 and 200", f"{reading.status_code} and {record.status_code}",
               (reading.status_code, record.status_code) == (503, 200)),
        Figure("a call when it is back", "200", f"{again.status_code}", again.status_code == 200),
        Figure("a picture that the server has lost", "410", f"{lost.status_code}", lost.status_code == 410),
    ]  # fmt: skip


def _torn(server: S3Server, prefix: str) -> int:
    files = server.filesystem()
    return sum(
        hashlib.sha256(files.cat_file(path)).hexdigest() != path.rsplit("/", 1)[-1].split("-")[0]
        for path in files.find(f"{BUCKET}/{prefix}")
    )


if __name__ == "__main__":
    sys.exit(main())
