"""The Python client of convscope, a REST service that shows what convolutional networks see.

`Client` calls the service and waits for its answers. `AsyncClient` has the same methods as coroutines.
"""

from convscope.async_client import AsyncClient
from convscope.async_job import AsyncJob
from convscope.batches import AsyncBatch, BatchItemResult
from convscope.client import Client
from convscope.errors import (
    AccessError,
    CallerLimitError,
    ConvscopeError,
    ImageError,
    InvalidRequestError,
    JobEndedError,
    ModelError,
    NetworkError,
    NotFoundError,
    ProblemError,
    StateConflictError,
    UnavailableError,
    UnknownNameError,
    WaitTimeoutError,
    WorkFailedError,
)
from convscope.events import Event
from convscope.job import Batch, Job
from convscope.result import AsyncResult, Result
from convscope.retrying import RetryPolicy

__all__ = [
    "AccessError",
    "AsyncBatch",
    "AsyncClient",
    "AsyncJob",
    "AsyncResult",
    "Batch",
    "BatchItemResult",
    "CallerLimitError",
    "Client",
    "ConvscopeError",
    "Event",
    "ImageError",
    "InvalidRequestError",
    "Job",
    "JobEndedError",
    "ModelError",
    "NetworkError",
    "NotFoundError",
    "ProblemError",
    "Result",
    "RetryPolicy",
    "StateConflictError",
    "UnavailableError",
    "UnknownNameError",
    "WaitTimeoutError",
    "WorkFailedError",
]
