"""Which devices there are, and a process's claim to one of them."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Device:
    """One worker process's device; `index` counts the devices of its kind that this service may use."""

    kind: Literal["cpu", "gpu"]
    index: int = 0

    @property
    def name(self) -> str:
        return f"{self.kind.upper()}:{self.index}"

    def hide_others(self, environment: MutableMapping[str, str] = os.environ) -> None:
        """Leaves CUDA this device alone to see. Takes effect where CUDA has not been initialised in the process yet."""
        visible = environment.get("CUDA_VISIBLE_DEVICES")
        numbers = visible.split(",") if visible else [str(number) for number in range(self.index + 1)]
        environment["CUDA_VISIBLE_DEVICES"] = numbers[self.index] if self.kind == "gpu" else "-1"


def devices(wanted: Literal["auto", "cpu"], gpus: int) -> tuple[Device, ...]:
    """One for each GPU, the CPU where there is none or nothing else is wanted."""
    if wanted == "cpu" or gpus == 0:
        return (Device("cpu"),)
    return tuple(Device("gpu", index) for index in range(gpus))
