"""The devices that worker processes run on."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Device:
    """The device of one worker process. `index` counts the devices of this kind that are visible to convscope, from 0."""

    kind: Literal["cpu", "gpu"]
    index: int = 0

    @property
    def name(self) -> str:
        return f"{self.kind.upper()}:{self.index}"

    def hide_others(self, environment: MutableMapping[str, str] = os.environ) -> None:
        """Set `CUDA_VISIBLE_DEVICES` so that CUDA sees this device only.

        This has an effect only if CUDA has not been initialised in the process. A CPU device hides all GPUs.
        """
        visible = environment.get("CUDA_VISIBLE_DEVICES")
        numbers = visible.split(",") if visible else [str(number) for number in range(self.index + 1)]
        environment["CUDA_VISIBLE_DEVICES"] = numbers[self.index] if self.kind == "gpu" else "-1"


def devices_to_use(wanted: Literal["auto", "cpu"], gpus: int) -> tuple[Device, ...]:
    """Return one device for each GPU, or the CPU if there is no GPU or `wanted` is "cpu"."""
    if wanted == "cpu" or gpus == 0:
        return (Device("cpu"),)
    return tuple(Device("gpu", index) for index in range(gpus))
