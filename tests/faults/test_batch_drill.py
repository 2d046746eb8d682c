"""A batch loses and doubles nothing while service, worker and Redis are killed: the small version of `python -m benchmarks.batch_drill`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.batch_drill import BatchDrill

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(300)]


async def test_every_item_ends_once_although_everything_is_killed(tmp_path: Path) -> None:
    await BatchDrill(tmp_path, 200).run(kills=True)
