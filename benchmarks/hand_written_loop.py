"""The loop that a user would write by hand to make the pictures of a folder of photos: one request for each photo, eight at a time.

It neither retries nor resumes, and it writes no facts. `benchmarks/run_command.py` compares `convscope run` with it.

Example:
    python benchmarks/hand_written_loop.py http://127.0.0.1:8000 photos out
"""

# ruff: noqa: ASYNC240 - this is what a user writes
import asyncio
import sys
from pathlib import Path

import httpx


async def main(url: str, photos: Path, out: Path) -> None:
    out.mkdir(parents=True)
    places = asyncio.Semaphore(8)
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:

        async def run(photo: Path) -> None:
            async with places:
                form = {"model": "efficientnet_lite0"}
                answer = await client.post("/v1/grad_cam", data=form, files={"image": photo.read_bytes()}, headers={"Accept": "image/png"})
                answer.raise_for_status()
                (out / f"{photo.stem}.png").write_bytes(answer.content)

        await asyncio.gather(*map(run, photos.iterdir()))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
