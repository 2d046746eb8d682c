"""A user runs a method on a folder of photos, and gets a file for each, and a manifest from which the next run goes on."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convscope import AsyncClient
from tests.client_python.cli.conftest import Program, rows
from tests.service.fake_worker import MAP, OVERLAY, FakeWorker, encoded, png
from tests.wait import until

_RUN = ("run", "grad_cam", "--model", "vgg16", "--out", "out")
StartProgram = Callable[..., Awaitable[asyncio.subprocess.Process]]


def written(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


async def test_a_bad_photo_stops_no_other_and_only_it_is_tried_again(
    program: Program, working: FakeWorker, photos: Path, tmp_path: Path
) -> None:
    first = await program(*_RUN, "photos", "-p", "class_index=2", "--save", "png,npy,json", "--contact-sheet")
    assert first.status == 1, first.stderr
    assert "2 of 3 done, 1 failed: out/manifest.jsonl" in first.stdout
    assert "bad.jpg: unsupported_format: " in first.stderr
    out = tmp_path / "out"
    assert written(out) == [
        *(f"{photo}.{kind}" for photo in ("a/1.png", "b/1.png") for kind in ("job.json", "map.npy", "overlay.png")),
        "contact-sheet.png",
        "failed.jsonl",
        "manifest.jsonl",
    ]
    assert np.array_equal(np.asarray(Image.open(out / "b/1.png.overlay.png")), OVERLAY)
    assert np.array_equal(np.load(out / "a/1.png.map.npy"), MAP)
    assert json.loads((out / "a/1.png.job.json").read_text())["params"]["class_index"] == 2
    table = rows(out / "manifest.jsonl")
    assert {place: row["state"] for place, row in table.items()} == {"a/1.png": "succeeded", "b/1.png": "succeeded", "bad.jpg": "failed"}
    assert (table["a/1.png"]["facts"]["label"], table["a/1.png"]["picture"]) == ("Egyptian cat", "a/1.png.overlay.png")
    assert [row["error"]["code"] for row in rows(out / "failed.jsonl").values()] == ["unsupported_format"]

    (photos / "c.png").write_bytes(png(seed=5))
    second = await program(*_RUN, "photos", "-p", "class_index=2", "--save", "png")
    assert "3 of 4 done (2 before), 1 failed" in second.stdout
    assert "unsupported_format" not in second.stderr
    assert second.status == 1

    (photos / "bad.jpg").write_bytes(encoded(OVERLAY, "JPEG"))
    third = await program(*_RUN, "photos", "-p", "class_index=2", "--retry-failed")
    assert (third.status, third.stderr.splitlines()[-1][:6]) == (0, "1 of 1")
    assert "failed.jsonl" not in written(out)


@pytest.mark.slow
async def test_a_wrong_call_ends_the_run_and_leaves_no_row(program: Program, working: FakeWorker, photos: Path, tmp_path: Path) -> None:
    for number in range(6):
        (photos / f"{number}.png").write_bytes(png(seed=10 + number))
    ended = await program(*_RUN, "photos", "-p", "layr=x")
    assert ended.status == 1
    assert "convscope-client: The first photos were refused, and the reason lies in the call. invalid_parameters: " in ended.stderr
    assert set(rows(tmp_path / "out" / "manifest.jsonl")) <= {"bad.jpg"}
    ended = await program("run", "grad_cam", "--model", "vgg61", "--out", "out", "photos")
    assert ended.status == 1
    assert "unknown_model: There is no model 'vgg61'. Nearest: vgg19, vgg16." in ended.stderr
    assert (await program(*_RUN, "photos", "--save", "heat")).status == 1


@pytest.mark.slow
async def test_ctrl_c_keeps_what_is_done_for_the_next_run(program: Program, start: StartProgram, worker: FakeWorker, photos: Path) -> None:
    out = photos.parent / "out"
    process = await start(*_RUN, "photos/a", "photos/b", "--callers", "1")
    await worker.work()
    left = await worker.claim()
    await until(lambda: (out / "manifest.jsonl").exists() and rows(out / "manifest.jsonl"))
    process.send_signal(signal.SIGINT)
    _, stderr = await process.communicate()
    assert process.returncode == 130, stderr
    assert b"The run was interrupted. The same command again goes on where it stopped." in stderr
    assert list(rows(out / "manifest.jsonl")) == ["a/1.png"]
    assert written(out) == ["a/1.png.overlay.png", "manifest.jsonl"]
    await worker.complete(left)
    again = await program(*_RUN, "photos/a", "photos/b")
    assert (again.status, list(rows(out / "manifest.jsonl"))) == (0, ["a/1.png", "b/1.png"])
    assert "2 of 2 done (1 before)" in again.stdout


@pytest.mark.slow
async def test_ctrl_c_cancels_a_batch(start: StartProgram, feeder: object, worker: FakeWorker, url: str, photos: Path) -> None:
    out = photos.parent / "out"
    process = await start(*_RUN, "photos/a", "photos/b", "--batch")
    await worker.work()
    await until(lambda: (out / "manifest.jsonl").exists() and rows(out / "manifest.jsonl"))
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 130
    async with AsyncClient(url) as client:

        async def counts() -> dict[str, int]:
            (batch,) = (await client._connection.request("GET", "/v1/batches")).json()["items"]
            assert batch["canceling"] or batch["state"] == "canceled"
            return batch["counts"]

        async def is_canceled() -> bool:
            return (await counts())["canceled"] == 1

        await until(is_canceled)
        assert (await counts())["succeeded"] == 1


@pytest.mark.slow
async def test_batches_give_the_same_files_from_a_list(
    program: Program, feeder: object, working: FakeWorker, photos: Path, tmp_path: Path
) -> None:
    names = "photos/a/1.png\nphotos/bad.jpg\nphotos/gone.jpg\nphotos/b/1.png\n"
    ended = await program(*_RUN, "-", "--batch", "--save", "all", stdin=names)
    assert ended.status == 1, ended.stderr
    table = rows(tmp_path / "out" / "manifest.jsonl")
    assert {place: row["state"] for place, row in table.items()} == {
        "a/1.png": "succeeded",
        "b/1.png": "succeeded",
        "bad.jpg": "failed",
        "gone.jpg": "failed",
    }
    assert table["gone.jpg"]["error"]["code"] == "unreadable_photo"
    kinds = ("heatmap.png", "job.json", "map.npy", "overlay.png")
    expected = [f"{photo}.{kind}" for photo in ("a/1.png", "b/1.png") for kind in kinds]
    assert written(tmp_path / "out") == [*expected, "failed.jsonl", "manifest.jsonl"]
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / "a/1.png.overlay.png")), OVERLAY)


@pytest.mark.slow
async def test_a_dry_run_asks_nothing_and_writes_nothing(program: Program, photos: Path, tmp_path: Path) -> None:
    ended = await program(*_RUN, "photos", "--dry-run", "--url", "http://127.0.0.1:9")
    assert ended.status == 0, ended.stderr
    assert ended.stdout.splitlines()[0] == f"{photos}/bad.jpg -> out/bad.jpg.*"
    assert "3 to do, 0 done, 0 failed before." in ended.stderr
    assert not (tmp_path / "out").exists()
    refused = await program(*_RUN, "photos", "--url", "http://127.0.0.1:9")
    assert (refused.status, written(tmp_path / "out")) == (1, ["manifest.jsonl"])
    assert "No service answers at http://127.0.0.1:9" in refused.stderr
