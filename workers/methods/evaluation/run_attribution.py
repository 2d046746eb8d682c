"""Run an attribution method as a part of another job."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from schemas.methods.base import MethodParams
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods import implementation


def run_attribution(probe: Probe, inputs: Inputs, params: MethodParams) -> Generator[Slice, None, Any]:
    """Run an attribution method of either lane, and return its result."""
    method = implementation(params.card.name)
    if method.lane == "slow":
        return (yield from method.run(probe, inputs, params))
    (result,) = method.run(probe, inputs, [params])
    yield Slice(1, 1)
    return result
