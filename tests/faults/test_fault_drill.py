"""The short versions of `make drill-faults`: each fault is made, and each promise holds, but for ratios of times."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.fault_drill.registry import FaultSkipped, all_faults

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(400)]
_FAST = {"redis-restarts"}  # test_redis_restart_store.py runs these


@pytest.mark.parametrize("name", [name for name in all_faults() if name not in _FAST])
async def test_every_promise_holds(name: str, tmp_path: Path) -> None:
    try:
        figures = await all_faults()[name].run(tmp_path, True)
    except FaultSkipped as skipped:
        pytest.skip(str(skipped))
    assert figures
    assert [str(figure) for figure in figures if not figure.holds and not figure.compares_times] == []
