"""Explain the errors with which jobs fail."""

from __future__ import annotations

from schemas import errors
from schemas.error_causes.cause import ErrorCause

FAILED_JOBS = (
    ErrorCause(
        errors.ModelLoadFailed("Model 'digits' cannot be loaded: its file is damaged."),
        "The model's file is damaged, not allowed or too large (422), or it could not be loaded this time, for example because the "
        "download of its weights failed (503).",
        "With 422, the operator repairs or replaces the model; `convscope doctor` lists what is wrong. With 503, try again later.",
    ),
    ErrorCause(
        errors.ModelTooLarge(
            "Layer 'up' of model 'digits' gives 2,147,483,648 bytes for one input of 64 × 64; at most 1,073,741,824 are allowed."
        ),
        "The layers of the model give more values, for an input of this size, than a worker has room for. This is reckoned before the "
        "model runs. The error names the largest layer.",
        "If the model takes images of any size, send a smaller one. The operator can set `CONVSCOPE_MAX_LAYER_ACTIVATION_BYTES` and "
        "`CONVSCOPE_MAX_ACTIVATION_BYTES`.",
    ),
    ErrorCause(
        errors.NoGradient("The score of model 'digits' is not computed from layer 'side'.", pointer="/params/layer", got="side"),
        "The score does not depend on the layer, or no gradient passes between them.",
        "Choose a layer on the way from the input to the output; `architecture` draws the graph. Perturbation methods need no gradient.",
    ),
    ErrorCause(
        errors.NonFinite("3 of the model's 10 logits are not finite."),
        "The model's values, or those of the ascent, became infinite or not a number.",
        "Check the model's weights and the range of its input. In an ascent, lower the learning rate. Leave out `precision` `bfloat16`.",
    ),
    ErrorCause(
        errors.OutOfMemory("The device has no memory for a batch of 1 inputs of 1024 × 1024 × 3."),
        "The work does not fit into the device's memory, even an image at a time.",
        "Ask for a smaller size, fewer layers or fewer channels.",
    ),
    ErrorCause(
        errors.JobTimeout("The job has used 300 s of the device, which is the most that is allowed (CONVSCOPE_JOB_DEVICE_SECONDS)."),
        "The job took longer than it may, or one step of it did not return in time.",
        "Ask for fewer steps, images or channels. Methods that keep finished parts continue from them when the job is submitted again.",
    ),
    ErrorCause(
        errors.WorkerCrashed("The worker died each time it tried, 3 times."),
        "Every worker that ran the job died, so it is not tried again. Most often it takes too much memory, or its model has a fault.",
        "Ask for a smaller size or another model. The operator finds the reason in the workers' log.",
    ),
)
