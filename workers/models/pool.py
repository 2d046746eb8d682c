"""Keep models in memory. Each is loaded once; the least recently used is dropped if they are too large together."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

import keras
import numpy as np
from jaxtyping import Float32, UInt8

from catalog.catalog import Catalog
from catalog.entry import CatalogEntry
from rendering.photo import Placement
from schemas.errors import ModelChanged, ModelLoadFailed, ModelTooLarge, VisualizationError
from schemas.models import Fit, Preprocessing, PublishedModel
from workers.contract.probe import Probe
from workers.engine.forward_only.network import ForwardNetwork
from workers.engine.forward_only.probe import ForwardOnlyProbe
from workers.engine.probe import KerasProbe
from workers.models.description.describe import describe
from workers.models.description.describe_forward_only import describe_forward_only
from workers.models.limits import ModelLimits
from workers.models.loading import load_model
from workers.models.preprocessing import FreeSides, prepare
from workers.models.released_memory import release_memory

# Each operation of a compiled function takes about this many bytes: measured as growth of the process, 10,400 for forward passes of
# MobileNetV2, and 7,600 to 9,700 for all functions of small models.
OPERATION_BYTES = 10_000
_MAX_FAILURES = 1000

FindEntry = Callable[[str, str], CatalogEntry]


class MeasuredProbe(Probe, Protocol):
    """A probe that tells how much it has added to the model; `workers.engine.probe.KerasProbe` is the real one."""

    @property
    def nbytes(self) -> int: ...
    @property
    def operations(self) -> int: ...


MakeProbe = Callable[[keras.Model, PublishedModel], MeasuredProbe]


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready for use. A reference to it keeps it alive, even after the pool has dropped it.

    `weight_bytes` is the size of its weights, in bytes.
    """

    name: str
    published: PublishedModel
    probe: MeasuredProbe
    weight_bytes: int

    @property
    def nbytes(self) -> int:
        """The memory that the model takes now, in bytes: its weights, the copies that were made so far, and its compiled functions."""
        return self.weight_bytes + self.probe.nbytes + OPERATION_BYTES * self.probe.operations

    @property
    def preprocessing(self) -> Preprocessing:
        return self.published.description.preprocessing

    def prepare(
        self,
        image: UInt8[np.ndarray, "height width 3"] | Float32[np.ndarray, "height width"],
        name: str | None = None,
        fit: Fit | None = None,
        *,
        size: tuple[int, int] | None = None,
        rule: Preprocessing | None = None,
    ) -> tuple[Float32[np.ndarray, "h w c"], Placement]:
        """Return an image as an input (H, W, C) of this model, and where the image lies in it.

        Without a `name` it becomes the input of the photo. `rule` replaces the input's own preprocessing, `fit` what it says about the fit,
        and `size` (height, width) the free sides.
        """
        description = (self.published if name is None else self.published.seen_from(name)).description
        spec, preprocessing = description.input, rule or description.preprocessing
        if fit is not None:
            preprocessing = preprocessing.model_copy(update={"fit": fit})
        return prepare(image, preprocessing, size or (spec.height, spec.width), spec.channels, FreeSides.of(spec))


@dataclass(frozen=True)
class _PoolSlot:
    """A model that is loaded or being loaded, and the digest of the catalogue entry that it was loaded for."""

    digest: str
    future: Future[LoadedModel] = field(default_factory=Future[LoadedModel])


class ModelPool:
    """A thread-safe store of loaded models, whose sizes together are at most `max_bytes` bytes.

    A model whose weights alone are larger is refused. A loaded model grows: copies of its weights and compiled functions come as they are
    asked for, so `trim` is to be called after a use. The last requested model is kept even if it alone has grown beyond the limit.
    A model that can never be loaded is remembered by its digest, and refused at once when it is asked for again. A load that failed for
    another reason is forgotten, so the next `get` tries again.

    `catalog` is a catalogue that does not change, or a function that returns the entry of a name and a digest and reads changed files
    (`WatchedCatalog.entry`).
    """

    def __init__(
        self, catalog: Catalog | FindEntry, max_bytes: int, make_probe: MakeProbe = KerasProbe, limits: ModelLimits | None = None
    ) -> None:
        self._find = (lambda name, digest: catalog.entry(name)) if isinstance(catalog, Catalog) else catalog
        self._max_bytes = max_bytes
        self._make_probe = make_probe
        self._limits = limits or ModelLimits()
        self._lock = threading.Lock()
        self._slots: OrderedDict[str, _PoolSlot] = OrderedDict()  # least recently used first
        self._failures: OrderedDict[tuple[str, str], ModelLoadFailed | ModelTooLarge] = OrderedDict()  # oldest first
        self._operations = 0  # of all models, when their sizes were last added up

    @property
    def loaded_names(self) -> tuple[str, ...]:
        """Return the names of the models in memory, the least recently used first."""
        with self._lock:
            return tuple(name for name, slot in self._slots.items() if _loaded(slot) is not None)

    def loaded(self, name: str, digest: str) -> LoadedModel | None:
        """Return the version `digest` of the model if it is in memory. The call reads no file and does not wait."""
        with self._lock:
            slot = self._slots.get(name)
            if slot is None or slot.digest != digest or (model := _loaded(slot)) is None:
                return None
            self._slots.move_to_end(name)
            return model

    def get(self, name: str, digest: str = "") -> LoadedModel:
        """Return the version `digest` of the model, and load it if it is not in memory. An empty digest stands for the present version.

        Callers that ask during a load wait for that load.

        Raises:
            UnknownModel: the catalogue has no such name.
            ModelChanged: the files hold another version, or they have changed while they were read.
            ModelLoadFailed: the model cannot be loaded or is too large; the error has the cause.
            ModelTooLarge: the activations of the model are too large.
        """
        if digest and (model := self.loaded(name, digest)) is not None:
            return model
        entry = self._find(name, digest)
        if digest and entry.digest != digest:
            raise ModelChanged(f"The service and the worker see different versions of model '{name}'. Try again shortly.")
        with self._lock:
            if failure := self._failures.get((name, entry.digest)):
                raise type(failure)(failure.detail, allowed=failure.allowed, got=failure.got)
            slot = self._slots.get(name)
            must_load = slot is None or slot.digest != entry.digest
            if slot is None or must_load:
                slot = self._slots[name] = _PoolSlot(entry.digest)
            self._slots.move_to_end(name)
        if must_load:
            self._fill(slot, entry)
        return slot.future.result()

    def trim(self) -> None:
        """Drop the least recently used models if the loaded ones have grown too large together. It costs little if none has grown."""
        with self._lock:
            operations = sum(model.probe.operations for slot in self._slots.values() if (model := _loaded(slot)) is not None)
        if operations != self._operations:
            self._operations = operations
            self._evict()

    def drop_absent(self, present: Callable[[str, str], bool]) -> None:
        """Drop each loaded version for which `present(name, digest)`, which may read the disk, is false. A job that uses it still ends."""
        with self._lock:
            digests = {name: slot.digest for name, slot in self._slots.items() if _loaded(slot) is not None}
        absent = [(name, digest) for name, digest in digests.items() if not present(name, digest)]
        with self._lock:
            for name, digest in absent:
                if name in self._slots and self._slots[name].digest == digest:
                    del self._slots[name]
        if absent:
            release_memory()

    def _fill(self, slot: _PoolSlot, entry: CatalogEntry) -> None:
        try:
            loaded = self._load(entry)
        except BaseException as error:
            if isinstance(error, VisualizationError):
                # The frames in the tracebacks hold the model and its weights, and everyone who waits gets the error.
                error = error.with_traceback(None)
                error.__cause__ = error.__context__ = None
            with self._lock:
                if self._slots.get(entry.name) is slot:
                    del self._slots[entry.name]
                if isinstance(error, (ModelLoadFailed, ModelTooLarge)) and not error.retryable:
                    self._failures[entry.name, entry.digest] = error
                    if len(self._failures) > _MAX_FAILURES:
                        self._failures.popitem(last=False)
            slot.future.set_exception(error)
            release_memory()
            return
        slot.future.set_result(loaded)
        self._evict()

    def _load(self, entry: CatalogEntry) -> LoadedModel:
        model = load_model(entry, self._limits)
        self._find(entry.name, entry.digest)  # raises ModelChanged if the files have changed while they were read
        if isinstance(model, ForwardNetwork):
            self._check_size(entry, model.nbytes)
            published, heads = describe_forward_only(model, entry)
            return LoadedModel(entry.name, published, ForwardOnlyProbe(model, published, heads), model.nbytes)
        weight_bytes = sum(math.prod(weight.shape) * np.dtype(weight.value.dtype.as_numpy_dtype).itemsize for weight in model.weights)
        self._check_size(entry, weight_bytes)
        published = describe(model, entry, self._limits.custom_objects, self._limits.activations)
        return LoadedModel(entry.name, published, self._make_probe(model, published), weight_bytes)

    def _check_size(self, entry: CatalogEntry, weight_bytes: int) -> None:
        if weight_bytes > self._max_bytes:
            raise ModelLoadFailed(
                f"The weights of model '{entry.name}' take {weight_bytes} bytes; all loaded models of a worker together may take "
                f"{self._max_bytes} (CONVSCOPE_MAX_LOADED_BYTES).",
                allowed=str(self._max_bytes),
                got=str(weight_bytes),
            )

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
            release_memory()


def _loaded(slot: _PoolSlot) -> LoadedModel | None:
    return slot.future.result() if slot.future.done() and slot.future.exception() is None else None
