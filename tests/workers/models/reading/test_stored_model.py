from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np

from workers.models.reading.stored_model import StoredModel


def stored(values: np.ndarray) -> StoredModel:
    table: dict[str, Any] = {"attributes": {}, "arrays": {"kernel": (values.dtype.str, values.shape, 0)}, "groups": {}}
    return StoredModel(None, 3, table, memoryview(values.tobytes()))


def test_models_that_are_loaded_side_by_side_keep_their_weights_apart() -> None:
    """HDF5 refuses to make a file while another one of the same name is open, in memory too."""
    arrays = [np.arange(6, dtype=np.float32).reshape(2, 3) + number for number in range(3)]
    with ExitStack() as stack:
        files = [stack.enter_context(stored(array).weights()) for array in arrays]
        for array, file in zip(arrays, files, strict=True):
            dataset: Any = file["kernel"]
            np.testing.assert_array_equal(dataset[()], array)
