"""Explain the errors of requests: their bodies, fields, images, and what they ask for."""

from __future__ import annotations

from schemas import errors
from schemas.error_causes.cause import ErrorCause

BAD_REQUESTS = (
    ErrorCause(
        errors.MalformedBody("The submission is not valid JSON: expected value at line 1 column 12."),
        "The body is not JSON, or not a form, although its `Content-Type` says so.",
        "Send valid JSON, or let your HTTP client build the form. `NaN` and `Infinity` are not JSON.",
    ),
    ErrorCause(
        errors.BodyTooLarge(
            "The body has more than 33,554,432 bytes.", allowed="at most 33,554,432 bytes", got="more than 33,554,432 bytes"
        ),
        "The body, or an image or a model in it, has more bytes than the service accepts.",
        "Send a smaller image, or send the file as a form instead of base64. The operator sets the limits with "
        "`CONVSCOPE_MAX_BODY_BYTES`, `CONVSCOPE_MAX_IMAGE_BYTES`, `CONVSCOPE_MAX_BASE64_BYTES` and, for an uploaded model, "
        "`CONVSCOPE_MAX_MODEL_FILE_BYTES`.",
    ),
    ErrorCause(
        errors.UnsupportedFormat(
            "The image file is none of JPEG, PNG, WEBP, GIF, BMP, AVIF, HEIF.",
            pointer="/image",
            allowed="JPEG, PNG, WEBP, GIF, BMP, AVIF, HEIF",
        ),
        "The body's media type is not one that the address takes, or the image file has a format that is not accepted. The format "
        "is recognised by content, not by the file's name.",
        "Send what `allowed` lists. The operator can add TIFF with `CONVSCOPE_IMAGE_FORMATS`.",
    ),
    ErrorCause(
        errors.InvalidParameters("alpha must be a number ≤ 1; got 1.5.", pointer="/params/alpha", allowed="a number ≤ 1", got="1.5"),
        "One or several fields of the request are wrong, unknown or missing. `errors` lists all of them.",
        "Correct each field at its `pointer`. `GET /v1/methods` shows every method's parameters with their defaults and bounds.",
    ),
    ErrorCause(
        errors.InvalidImage("The PNG file has a header that cannot be read. The file is broken or cut off.", pointer="/image"),
        "The image's content is damaged, cut off or not valid base64, it has 32 bits per channel, or decoding it took too much time or "
        "memory.",
        "Check that the file opens elsewhere, and send all of its bytes. Saving it again as PNG or JPEG often helps.",
    ),
    ErrorCause(
        errors.ImageTooLarge(
            "The image has 30,000 × 20 pixels, and no side may be longer than 16,384.",
            pointer="/image",
            allowed="at most 16,384 pixels a side",
            got="30,000 × 20",
        ),
        "The image has too many pixels, or a side that is too long.",
        "Make the image smaller. The operator sets the limits with `CONVSCOPE_MAX_IMAGE_PIXELS` and `CONVSCOPE_MAX_IMAGE_SIDE`.",
    ),
    ErrorCause(
        errors.ImageRequired("Grad-CAM needs an image; got none.", pointer="/image", allowed="one image", got="none"),
        "The method looks at an image, and the request has none.",
        "Send a file `image`, or in JSON `image` with `base64` or with the `id` of an upload.",
    ),
    ErrorCause(
        errors.ImageUnexpected("Filters takes no image; got one in `image`.", pointer="/image", allowed="none", got="one"),
        "The method makes its pictures from the model alone, and the request has an image.",
        "Leave the image out, or choose a method whose `needs_image` is true in `GET /v1/methods`.",
    ),
    ErrorCause(
        errors.LimitExceeded("steps must be at most 2048; got 4096.", pointer="/params/steps", allowed="at most 2048", got="4096"),
        "The request is valid, but asks for more work at once than the service allows.",
        "Ask for less, or split the work into several jobs. `docs/settings.md` lists the limits, which the operator can change.",
    ),
    ErrorCause(
        errors.IdempotencyKeyReused("This Idempotency-Key was used with another request. Use a new key for a new request."),
        "The same `Idempotency-Key` came with another submission within its lifetime, 24 hours unless the operator changed it.",
        "Use a new key for each new submission, and the same key only to repeat one.",
    ),
    ErrorCause(
        errors.NotFound("There is no image img_2c26… Upload it with POST /v1/images.", pointer="/image/id", got="img_2c26…"),
        "Nothing is at this address, or what was there was deleted, has expired, or belongs to another caller.",
        "Check the id. Submit the job or upload the image again if it has expired.",
    ),
    ErrorCause(
        errors.MethodNotAllowed("/v1/methods takes GET; got POST.", allowed="GET", got="POST"),
        "The address exists, but not for this HTTP method.",
        "Use a method that `Allow` and `allowed` list.",
    ),
    ErrorCause(
        errors.NotAcceptable(
            "Grad-CAM can answer as image/png, image/webp, application/json, but the request asks for text/csv.",
            allowed="image/png, image/webp, application/json",
            got="text/csv",
        ),
        "The result has no representation that the `Accept` header or `?format=` allows.",
        "Ask for one of those in `allowed`, or send no `Accept` header.",
    ),
    ErrorCause(
        errors.StateConflict("Job 01K5YQZ7T8Y1W4V9N3M2XQJ6RD has succeeded, so it cannot be canceled."),
        "The job is in a state in which this cannot be done: for example, a job that has ended cannot be canceled.",
        "Look at the job's `state` with `GET /v1/jobs/{id}`.",
    ),
    ErrorCause(
        errors.Expired("The results of job 01K5YQZ7T8Y1W4V9N3M2XQJ6RD have expired. Submit the job again to get new ones."),
        "The job is still known, but its results are gone: their time is over, or they gave way because the store was full.",
        "Submit the job again. The operator sets lifetimes with `CONVSCOPE_RESULT_TTL` and room with `CONVSCOPE_MAX_STORED_BYTES`.",
    ),
    ErrorCause(
        errors.CallerLimit("100 of your jobs are queued or running, and at most 100 may be.", allowed="100", got="100"),
        "You have as many jobs under way, or have sent as many requests, as one caller may.",
        "Wait as long as `Retry-After` says, and send the request again.",
    ),
)
