"""A job on its way through the pipeline, and the surroundings of all jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jobstore.records import Execution
from schemas.images import ImageLimits
from schemas.methods.base import MethodParams
from workers.contract.method import Implementation
from workers.contract.progress import Slice
from workers.execution.device_budget import DeviceBudget
from workers.execution.model_access import UsableModel


@dataclass(frozen=True)
class JobEnvironment:
    """The surroundings of all jobs. `device` and `versions` stand in the provenance of every result; `image_limits` apply to every image.

    The numbers of threads say how many images are decoded, how many pictures are rendered, and how many models are loaded at once.
    `result_memory` is the number of bytes of computed results that are kept for jobs that draw them differently.
    """

    device: str
    versions: Mapping[str, str]
    image_limits: ImageLimits
    decode_threads: int = 2
    render_threads: int = 2
    load_threads: int = 2
    result_memory: int = 128 * 2**20


@dataclass(frozen=True)
class PipelineJob:
    """One job on its way through the pipeline.

    `queued` is the time that it waited, in seconds. `further` are the models that it runs besides `model`.
    """

    execution: Execution
    method: Implementation
    params: MethodParams
    model: UsableModel | None
    on_slice: Callable[[Slice], None]
    budget: DeviceBudget | None
    queued: float
    further: tuple[UsableModel, ...] = ()
