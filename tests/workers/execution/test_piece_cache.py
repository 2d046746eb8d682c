"""Slow jobs keep their finished pieces for later jobs."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest

from schemas.errors import StorageFull
from tests.workers.execution.bench import array
from workers.contract.progress import Slice


async def test_channels_that_an_earlier_job_synthesised_are_reused(bench):
    """A job with equal parameters reuses them, and no other job does."""
    how = {"layer": "stem", "size": 16, "steps": 2, "fresh": False}
    filters = await bench.run("filters", channels=[1, 0], **how)
    atlas = await bench.run("filter_atlas", **how)
    channels = json.loads(atlas.facts)["channels"]
    assert json.loads(atlas.facts)["reused"] == 2
    np.testing.assert_array_equal(array(atlas, "tiles")[1], np.rint(array(filters, "images")[0] * 255))
    again = await bench.run("filter_atlas", order="objective", **how)
    assert json.loads(again.facts)["reused"] == channels
    np.testing.assert_array_equal(array(again, "tiles"), array(atlas, "tiles"))
    other = await bench.run("filter_atlas", seed=1, **how)
    assert json.loads(other.facts)["reused"] == 0
    anew = await bench.run("filter_atlas", **how | {"fresh": True})  # as with Cache-Control: no-cache
    assert json.loads(anew.facts)["reused"] == 0


async def test_a_job_that_is_stopped_leaves_what_it_has_finished(bench, monkeypatch):
    monkeypatch.setattr("workers.methods.synthesis.filter_atlas.GROUP", 2)
    how = {"layer": "stem", "size": 16, "steps": 2, "fresh": False}
    first_group = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell(state: Slice) -> None:
        if state.pieces:
            loop.call_soon_threadsafe(first_group.set)

    running = asyncio.create_task(bench.run("filter_atlas", on_slice=tell, **how))
    await first_group.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    facts = json.loads((await bench.run("filter_atlas", order="objective", **how)).facts)
    assert 2 <= facts["reused"] < facts["channels"]


async def test_a_full_store_loses_the_pieces_but_not_the_job(bench, monkeypatch):
    async def full(*_: object) -> None:
        raise StorageFull("full", retry_after=1)

    monkeypatch.setattr(bench.store.pieces, "keep", full)
    monkeypatch.setattr(bench.store.pieces, "read", full)
    result = await bench.run("filter_atlas", layer="stem", size=16, steps=2)
    assert json.loads(result.facts)["reused"] == 0
