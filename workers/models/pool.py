"""Keep models in memory. Each is loaded once; the least recently used is dropped if they are too large together."""

from __future__ import annotations

import gc
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

import keras
import numpy as np
from jaxtyping import Float32, UInt8

from catalog.catalog import Catalog
from catalog.entry import CatalogEntry
from rendering.photo import Placement
from schemas.models import Preprocessing, PublishedModel
from workers.contract.probe import Probe
from workers.engine.probe import KerasProbe
from workers.models.description.describe import describe
from workers.models.limits import ModelLimits
from workers.models.loading import load_model
from workers.models.preprocessing import prepare

# The weights are in memory twice: in the model, and in the probe's clone with folded batch normalisation.
MEMORY_FACTOR = 2

MakeProbe = Callable[[keras.Model, PublishedModel], Probe]


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready for use. A reference to it keeps it alive, even after the pool has dropped it.

    `nbytes` is the memory that it takes, in bytes.
    """

    name: str
    published: PublishedModel
    probe: Probe
    nbytes: int

    @property
    def preprocessing(self) -> Preprocessing:
        return self.published.description.preprocessing

    def prepare(self, image: UInt8[np.ndarray, "height width 3"]) -> tuple[Float32[np.ndarray, "h w c"], Placement]:
        """Return an image as this model's input (H, W, C), and where the image lies in it."""
        spec = self.published.description.input
        return prepare(image, self.preprocessing, (spec.height, spec.width), spec.channels)


@dataclass(frozen=True)
class _PoolSlot:
    """A model that is loaded or being loaded, and the digest of the catalogue entry that it was loaded for."""

    digest: str
    future: Future[LoadedModel] = field(default_factory=Future[LoadedModel])


class ModelPool:
    """A thread-safe store of loaded models, whose sizes together are at most `max_bytes` bytes.

    The last requested model is kept even if it alone is larger. A model is loaded again when its catalogue entry's digest has changed.
    A failed load is forgotten, so the next `get` tries again.
    """

    def __init__(
        self,
        catalog: Catalog | Callable[[], Catalog],
        max_bytes: int,
        make_probe: MakeProbe = KerasProbe,
        limits: ModelLimits | None = None,
    ) -> None:
        self._catalog = (lambda: catalog) if isinstance(catalog, Catalog) else catalog
        self._max_bytes = max_bytes
        self._make_probe = make_probe
        self._limits = limits or ModelLimits()
        self._lock = threading.Lock()
        self._slots: OrderedDict[str, _PoolSlot] = OrderedDict()  # least recently used first

    @property
    def loaded_names(self) -> tuple[str, ...]:
        """Return the names of the models in memory, the least recently used first."""
        with self._lock:
            return tuple(name for name, slot in self._slots.items() if _loaded(slot) is not None)

    def get(self, name: str) -> LoadedModel:
        """Return the model, and load it if it is not in memory. Callers that ask during a load wait for that load.

        Raises:
            UnknownModel: the catalogue has no such name.
            ModelLoadFailed: the model cannot be loaded; the error has the cause.
        """
        entry = self._catalog().entry(name)
        with self._lock:
            slot = self._slots.get(name)
            must_load = slot is None or slot.digest != entry.digest
            if slot is None or must_load:
                slot = self._slots[name] = _PoolSlot(entry.digest)
            self._slots.move_to_end(name)
        if must_load:
            self._fill(slot, entry)
        return slot.future.result()

    def _fill(self, slot: _PoolSlot, entry: CatalogEntry) -> None:
        try:
            loaded = self._load(entry)
        except BaseException as error:
            with self._lock:
                if self._slots.get(entry.name) is slot:
                    del self._slots[entry.name]
            slot.future.set_exception(error)
            return
        slot.future.set_result(loaded)
        self._evict()

    def _load(self, entry: CatalogEntry) -> LoadedModel:
        model = load_model(entry, self._limits)
        published = describe(model, entry)
        nbytes = MEMORY_FACTOR * sum(
            math.prod(weight.shape) * np.dtype(weight.value.dtype.as_numpy_dtype).itemsize for weight in model.weights
        )
        return LoadedModel(entry.name, published, self._make_probe(model, published), nbytes)

    def _evict(self) -> None:
        dropped = False
        with self._lock:
            loaded = {name: model.nbytes for name, slot in self._slots.items() if (model := _loaded(slot)) is not None}
            total = sum(loaded.values())
            for name in list(loaded)[:-1]:
                if total <= self._max_bytes:
                    break
                total -= loaded[name]
                del self._slots[name]
                dropped = True
        if dropped:
            gc.collect()  # a Keras model has many reference cycles, so without this its memory would stay in use for long


def _loaded(slot: _PoolSlot) -> LoadedModel | None:
    return slot.future.result() if slot.future.done() and slot.future.exception() is None else None
