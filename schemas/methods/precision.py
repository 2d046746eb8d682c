"""The parameter of methods whose work on the device can run in a smaller number format."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.methods.base import MethodParams

Precision = Literal["float32", "bfloat16"]


class PrecisionParams(MethodParams):
    """Parameters of a method whose forward and backward passes can run in bfloat16."""

    precision: Precision = Field(
        default="float32",
        description=(
            "The forward and the backward pass compute in this number format. `bfloat16` is faster on hardware that supports it, but "
            "less exact."
        ),
    )
