"""Names for the array types of the contract. Shapes stand where an array is used."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

UInt8 = NDArray[np.uint8]

UInt16 = NDArray[np.uint16]

Arrays = Mapping[str, NDArray[np.generic]]
"""Arrays by name."""
