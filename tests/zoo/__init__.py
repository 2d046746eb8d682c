"""Tiny Keras models for many tests, one for each way in which a model can be built.

All take non-square inputs (13 high, 9 wide, 3 channels unless the name says otherwise). Their weights, including the statistics of batch
norm, are drawn by seed. `ZOO["functional"]()` builds one, and `photo_batch(model, n)` makes an input for it.
"""

from tests.zoo import architectures, heads
from tests.zoo.registry import CLASSES, HEAD, TARGET_LAYER, ZOO, photo_batch, seeded

__all__ = ["CLASSES", "HEAD", "TARGET_LAYER", "ZOO", "architectures", "heads", "photo_batch", "seeded"]
