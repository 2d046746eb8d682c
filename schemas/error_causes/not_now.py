"""Explain the errors of what the service cannot do at the moment."""

from __future__ import annotations

from schemas import errors
from schemas.error_causes.cause import ErrorCause

NOT_NOW = (
    ErrorCause(
        errors.QueueFull("1000 jobs are queued, and at most 1000 may be. Try again later."),
        "All callers together have queued as many jobs as the service accepts. Nothing of your submission was stored.",
        "Wait as long as `Retry-After` says, and send the request again. The operator can add workers, or set `CONVSCOPE_MAX_QUEUED`.",
    ),
    ErrorCause(
        errors.NotFinished("Job 01K5YQZ7T8Y1W4V9N3M2XQJ6RD has not finished within 30 s. It goes on, and the same request joins it."),
        "The one-line form waited as long as `Prefer: wait` says, or 30 seconds, and the job had not ended. The job goes on.",
        "Send the same request again, which joins the job or gets its result; or follow the job at the address in `Location`. With "
        "`Prefer: respond-async` the answer is the job, at once.",
    ),
    ErrorCause(
        errors.BrokerUnavailable("Redis does not answer. Try again shortly."),
        "The service does not reach Redis, which holds the queue. A job that was accepted before is not lost.",
        "Wait as long as `Retry-After` says, and send the request again; with an `Idempotency-Key`, no job is made twice. "
        "The operator finds the reason with `convscope doctor`.",
    ),
    ErrorCause(
        errors.StorageFull("5,120 bytes of disk are free and 1,073,741,824 must stay free, so 90,000 more do not fit."),
        "The disk or the memory of Redis has no room, and what waits and runs is never dropped to make some. A submission is refused "
        "before it is accepted; a job whose results found no room has failed. Results that are stored can still be read.",
        "Try again later. The operator frees disk, or changes `CONVSCOPE_MAX_STORED_BYTES`, `CONVSCOPE_MIN_FREE_DISK` or Redis's memory.",
    ),
    ErrorCause(
        errors.ModelLoading("Model 'vgg16' is still being loaded after 15 s. Try again shortly."),
        "A worker loads the model, and perhaps downloads its weights, and that takes longer than the request or the job waits.",
        "Wait as long as `Retry-After` says, and send the request again.",
    ),
    ErrorCause(
        errors.ModelChanged("The service and the worker see different versions of model 'digits'. Try again shortly."),
        "The model's file or its settings have just changed, and not every process has seen the change.",
        "Send the request again. If it stays, the operator gives all machines the same models folder.",
    ),
    ErrorCause(
        errors.ShuttingDown("The service is shutting down and no longer waits. Please send the request again."),
        "This process of the service is being stopped. A job that was accepted goes on.",
        "Send the request again; another process, or the restarted one, answers it.",
    ),
    ErrorCause(
        errors.NoWorkers("No worker is alive to load model 'vgg16', and none has described it before. Try again later."),
        "No worker has ever described this model, and none is free or alive to do so now.",
        "Wait as long as `Retry-After` says, and send the request again; `Prefer: wait=60` makes the request wait for a worker. The "
        "operator starts workers with `convscope worker`.",
    ),
    ErrorCause(
        errors.InternalError("The service failed unexpectedly. Its log has the reason under this request id."),
        "The service or a worker has a fault.",
        "Report it to the operator with the `request_id` or the job's id, under which the log has the reason.",
    ),
)
