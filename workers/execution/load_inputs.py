"""Load the images of a job, and prepare them as inputs of its model."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from decoding.array_file import is_array_file, read_array
from decoding.decode_image import STANDARD_MILLISECONDS
from decoding.decoded_frames import DecodedFrames
from decoding.input_arrays import fitted
from jobstore.records import Execution
from jobstore.store import JobStore
from rendering.photo import Photo, whole_photo
from schemas.errors import Expired, ImageTooLarge, InvalidImage, InvalidParameters, UnsupportedFormat, VisualizationError
from schemas.images import ImageLimits
from schemas.methods.base import MethodParams
from schemas.methods.frames import FramesParams
from schemas.methods.image_input import ShownBandsParams
from schemas.methods.other_image import other_image_of
from schemas.methods.photo_fit import PhotoFitParams
from schemas.methods.several_images import ImagePlace, ImagesParams
from schemas.methods.targets import mask_image
from schemas.models import Fit, ModelDescription, Preprocessing
from workers.contract.arrays import Float32, UInt8, UInt16
from workers.contract.inputs import BoundInputs, Inputs, Prepared
from workers.execution.fitted_input import FittedInput
from workers.execution.loaded_inputs import Frame, LoadedInputs
from workers.execution.model_access import UsableModel
from workers.execution.named_photos import NamedPhotos, named_photos
from workers.execution.prepare_arrays import array_preprocessing, prepare_array
from workers.execution.retry import retry_until_available
from workers.execution.threads import in_pool, timed_in_pool


class ImageDecoder(Protocol):
    """Decodes image files; `decoding.decoder.Decoder` is the real one. It blocks and is thread-safe."""

    def decode(self, content: bytes, limits: ImageLimits) -> UInt8: ...
    def decode_full_depth(self, content: bytes, limits: ImageLimits) -> UInt8 | UInt16: ...
    def decode_frames(self, content: bytes, limits: ImageLimits, frames: int) -> DecodedFrames: ...


class InputLoader:
    """Loads inputs on threads of its own, which also bound the number of images that are decoded at once."""

    def __init__(self, store: JobStore, decoder: ImageDecoder, limits: ImageLimits, threads: int) -> None:
        self._store, self._decoder, self._limits, self._count = store, decoder, limits, threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="decode")

    async def load(self, execution: Execution, params: MethodParams, model: UsableModel | None) -> LoadedInputs:
        """Return the inputs of a job. `model` is None if the method needs none; then nothing is prepared.

        Raises:
            Expired: An image has expired.
            ImageTooLarge, InvalidImage, UnsupportedFormat: An image cannot be decoded.
            InvalidParameters: An array does not fit the model.
        """
        if model is None:
            return await self._load_without_model(execution, params)
        given = given_files(execution, model.published.description)
        bands = params.bands or () if isinstance(params, ShownBandsParams) else ()
        explained = FittedInput.explained(model, params)
        name = explained.name
        own: _LoadedImage | None = None
        frames: tuple[Frame, ...] = ()
        seconds: list[float] = []
        if params.card.needs_image:
            content = await self._file(execution, given.get(name))
            wanted = params.frames if isinstance(params, FramesParams) else None
            if wanted is not None and not is_array_file(content):
                own, frames = await self._load_frames(content, explained, wanted)
            else:
                own = await self._image(content, explained, bands)
                frames = (Frame(own.prepared, 0, STANDARD_MILLISECONDS),) if wanted is not None else ()
            seconds.append(own.seconds)
        named = NamedPhotos()
        if isinstance(params, ImagesParams):
            takes = explained.other(model.published.description.input.name)
            together, several_seconds = await self.load_several(execution, params.image_places(), takes)
            named = named_photos(params, together)
            seconds.append(several_seconds)
        target: Prepared | None = None
        if (other := other_image_of(params)) is not None:
            loaded = await self._load_one(execution, other.image_id, other.label, explained)
            target = loaded.prepared
            seconds.append(loaded.seconds)
        region_masks = dict(named.region_masks)
        if (mask_id := mask_image(getattr(params, "region", None))) is not None:
            loaded = await self._load_one(execution, mask_id, "The mask of the region", explained)
            region_masks[mask_id] = loaded.prepared
            seconds.append(loaded.seconds)
        values = {other: await self._values(execution, given[other], explained.other(other)) for other in sorted(given) if other != name}
        prepared = None if own is None else own.prepared
        inputs = Inputs(
            _no_input(model) if prepared is None else prepared.tensor[None],
            None if prepared is None else prepared.photo.image,
            named.several,
            () if prepared is None else (prepared.photo,),
            target,
            region_masks,
            sets=named.sets,
        )
        bound = _bound(model, name, own, values, given)
        photo = None if prepared is None else prepared.photo
        used = _used_fit(model, params, name, own)
        kept = own is not None and own.rule is not None and not own.is_array
        total = sum(seconds) if seconds else None
        return LoadedInputs(inputs, photo, total, bound, given, used, frames, sized=explained.size is not None, kept_bits=kept)

    async def warm_up(self, image: bytes) -> None:
        """Decode an image, so that a decoding process is there when the first job comes."""
        await in_pool(self._threads, self._decoder.decode, image, self._limits)

    def close(self) -> None:
        """Give the threads up without waiting for them."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _load_without_model(self, execution: Execution, params: MethodParams) -> LoadedInputs:
        nothing = np.zeros((0, 0, 0, 3), np.float32)
        if not params.card.needs_image:
            return LoadedInputs(Inputs(nothing), None, None)
        image, seconds = await timed_in_pool(self._threads, self._decoder.decode, await self._file(execution, None), self._limits)
        photo = whole_photo(image)
        return LoadedInputs(Inputs(nothing, image, (), (photo,)), photo, seconds)

    async def _file(self, execution: Execution, image_id: str | None) -> bytes:
        return await retry_until_available(lambda: self._store.images.file_of(execution, image_id))

    async def _image(self, content: bytes, takes: FittedInput, bands: Sequence[int] = ()) -> _LoadedImage:
        """Decode a photo, or read an array, and prepare it as an input."""
        if is_array_file(content):
            array, read_seconds = await timed_in_pool(self._threads, read_array, content)
            prepared, seconds = await timed_in_pool(self._threads, prepare_array, array, takes.described("/params/input"), bands)
            rule = array_preprocessing(takes.described("/params/input"), array.dtype)
            return _LoadedImage(prepared, read_seconds + seconds, rule, is_array=True)
        deep = takes.described("/params/input").sixteen_bits is not None
        decode = self._decoder.decode_full_depth if deep else self._decoder.decode
        image, decode_seconds = await timed_in_pool(self._threads, decode, content, self._limits)
        if image.dtype == np.uint16:
            (prepared, rule), seconds = await timed_in_pool(self._threads, takes.prepare_grey16, image.astype(np.uint16))
            return _LoadedImage(prepared, decode_seconds + seconds, rule)
        image = image.astype(np.uint8, copy=False)
        (tensor, placement), seconds = await timed_in_pool(self._threads, takes.prepare, image)
        return _LoadedImage(Prepared(Photo(image, placement), tensor), decode_seconds + seconds)

    async def _load_frames(self, content: bytes, takes: FittedInput, count: int) -> tuple[_LoadedImage, tuple[Frame, ...]]:
        """Return the first frame of a photo, with the seconds that all took, and at most `count` frames."""
        decoded, seconds = await timed_in_pool(self._threads, self._decoder.decode_frames, content, self._limits, count)
        frames: list[Frame] = []
        for image, number, milliseconds in zip(decoded.images, decoded.numbers, decoded.milliseconds, strict=True):
            (tensor, placement), took = await timed_in_pool(self._threads, takes.prepare, image)
            frames.append(Frame(Prepared(Photo(image, placement), tensor), number, milliseconds))
            seconds += took
        return _LoadedImage(frames[0].prepared, seconds), tuple(frames)

    async def _values(self, execution: Execution, file_id: str, takes: FittedInput) -> NDArray[np.generic]:
        """Return the values (1, …) of an input beside the one that takes the batch."""
        described = takes.described("/inputs")
        content = await self._file(execution, file_id)
        try:
            if described.takes_images:
                return (await self._image(content, takes)).prepared.tensor[None]
            return (await in_pool(self._threads, lambda: fitted(read_array(content), described)))[None]
        except VisualizationError as error:
            error.detail = f"Input '{takes.name}': {error.detail}"
            raise

    async def load_several(
        self, execution: Execution, places: Mapping[str, ImagePlace], takes: FittedInput
    ) -> tuple[tuple[Prepared, ...], float]:
        """Return uploaded images as inputs, and the seconds that this took. `places` has the place of each in the parameters, by its id.

        They are loaded a few at a time, so that the undecoded files of many images are not in memory at once. It raises what `load` raises.
        """
        prepared: list[Prepared] = []
        seconds = 0.0
        named = list(places.items())
        for start in range(0, len(named), self._count):
            loading = (self._load_one(execution, each, place.label, takes) for each, place in named[start : start + self._count])
            for one in await asyncio.gather(*loading):
                prepared.append(one.prepared)
                seconds += one.seconds
        return tuple(prepared), seconds

    async def _load_one(self, execution: Execution, image_id: str, label: str, takes: FittedInput) -> _LoadedImage:
        try:
            return await self._image(await self._file(execution, image_id), takes)
        except (Expired, ImageTooLarge, InvalidImage, InvalidParameters, UnsupportedFormat) as error:
            raise type(error)(f"{label} ({image_id}): {error.detail}") from error


@dataclass(frozen=True)
class _LoadedImage:
    """An image that is ready, and the seconds that this took.

    `rule` says how the values of an array, or of a photo whose 16 bits were kept, became the input's. It is None for every other photo.
    """

    prepared: Prepared
    seconds: float
    rule: Preprocessing | None = None
    is_array: bool = False


def given_files(execution: Execution, description: ModelDescription) -> dict[str, str]:
    """Return the ids of the files that a job gives to the inputs of its model, by the inputs' names."""
    own = {} if execution.image_id is None else {description.input.name: execution.image_id}
    return {**own, **execution.inputs}


def _used_fit(model: UsableModel, params: MethodParams, name: str, own: _LoadedImage | None) -> Fit | None:
    """Return how the photos of a job were brought to the input `name`: as the parameters say, or else as the model's settings do."""
    if not isinstance(params, PhotoFitParams) or (own is not None and own.is_array):
        return None
    takes = model.published.description.input_at(name, "/params/input")
    own_fit = takes.preprocessing.fit if takes.preprocessing is not None and takes.takes_photos else None
    return params.fit or own_fit


def _bound(
    model: UsableModel, name: str, own: _LoadedImage | None, values: Mapping[str, NDArray[np.generic]], given: Mapping[str, str]
) -> BoundInputs | None:
    """Return what the job gives to its model, or None if that is nothing but a photo for the input that takes the photo."""
    description = model.published.description
    if name == description.input.name and not values and (own is None or own.rule is None):
        return None
    preprocessing = model.published.seen_from(name).description.preprocessing
    if own is not None and own.rule is not None:
        preprocessing = own.rule
    others = {other: file_id for other, file_id in given.items() if other != name}
    key = hashlib.sha256(json.dumps([name, others, preprocessing.model_dump_json()], sort_keys=True).encode()).hexdigest()
    return BoundInputs(name, values, preprocessing, key)


def _no_input(model: UsableModel) -> Float32:
    """Return an empty batch (N = 0)."""
    spec = model.published.description.input
    return np.zeros((0, spec.height or 0, spec.width or 0, spec.channels), np.float32)
