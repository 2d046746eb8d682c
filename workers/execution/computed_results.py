"""Keep what the last jobs have computed in memory, so that a job that only draws it differently needs no device."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from jobstore.keys import execution_key
from workers.execution.device_jobs import DeviceResult
from workers.execution.pipeline_job import PipelineJob

_SMALL = 100  # bytes that a number, a text of usual length or an object of its own is taken to need


@dataclass(frozen=True)
class _Kept:
    value: Any
    size: int


class ComputedResults:
    """The results of the methods' `run` that were used last, up to `limit` bytes of arrays.

    Results are kept by everything that decides them: the model, the method, the image, the model's other inputs, and all parameters but
    those that only the drawing reads (`MethodParams.only_drawn`). A result is never changed, so several jobs can draw it at once. Only
    the event loop of the worker may use it.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def of(self, job: PipelineJob, compute: Callable[[], Awaitable[DeviceResult[Any]]]) -> tuple[Any, float | None]:
        """Return the result of a job, and the seconds that it took on the device, or None if an earlier job has computed it.

        A job that asks for no earlier result is computed in any case.
        """
        key = _key_of(job)
        if not job.execution.fresh and key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key].value, None
        computed = await compute()
        self._keep(key, computed.value)
        return computed.value, computed.seconds

    def _keep(self, key: str, value: Any) -> None:
        """Keep a result, unless it is too large or its size is unknown. Those that were not used for the longest time make room."""
        size = size_of(value)
        if size is None or size > self._limit:
            return
        self._forget(key)
        self._kept[key] = _Kept(value, size)
        self._size += size
        while self._size > self._limit:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        self._size -= 0 if kept is None else kept.size


def size_of(value: Any) -> int | None:
    """Return the bytes that a result takes: its arrays, whole if it holds only views of them. None if it holds anything unknown."""
    if isinstance(value, np.ndarray):
        return _whole(cast("NDArray[Any]", value)).nbytes + _SMALL
    if isinstance(value, str | bytes):
        return len(value) + _SMALL
    if value is None or isinstance(value, bool | int | float | np.generic):
        return _SMALL
    parts = _parts_of(value)
    sizes = None if parts is None else [size_of(each) for each in parts]
    return None if sizes is None or None in sizes else sum(each or 0 for each in sizes) + _SMALL


def _parts_of(value: Any) -> Sequence[Any] | None:
    match value:
        case BaseModel():
            return list(dict(value).values())
        case Mapping():
            known = cast("Mapping[Any, Any]", value)
            return [*known, *known.values()]
        case Sequence() | Set():
            return list(cast("Sequence[Any]", value))
        case _ if is_dataclass(value):
            return [getattr(value, each.name) for each in fields(value)]
        case _:
            return None


def _whole(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array whose memory a view keeps alive."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _key_of(job: PipelineJob) -> str:
    execution, models = job.execution, () if job.model is None else (job.model, *job.further)
    return execution_key(
        json.dumps([[each.published.description.name, each.published.description.fingerprint, each.published.digest] for each in models]),
        execution.method,
        job.params.model_dump_json(exclude=set(job.params.only_drawn)),
        execution.image_id,
        json.dumps(dict(execution.inputs), sort_keys=True),
    )
