"""Explain the errors of uploaded models."""

from __future__ import annotations

from schemas import model_upload_errors
from schemas.error_causes.cause import ErrorCause

MODEL_UPLOADS = (
    ErrorCause(
        model_upload_errors.ModelUploadsOff("This service takes no models. The operator can turn this on with CONVSCOPE_MODEL_UPLOADS."),
        "The operator has not turned uploads of models on, or the service cannot write to the models folder.",
        "Ask the operator for the model. The operator sets `CONVSCOPE_MODEL_UPLOADS=true` and gives the service a models folder that it "
        "can write to, or puts the file there.",
    ),
    ErrorCause(
        model_upload_errors.ModelNotUploaded(
            "The model 'vgg16' belongs to the operator, so it cannot be replaced by an upload. Choose another name.",
            pointer="/model",
            allowed="a name that is free, or that of an uploaded model",
            got="vgg16",
        ),
        "The name belongs to a built-in model, a model of `keras.applications`, or a file or setting of the operator.",
        "Upload under another name. Only models whose `source` is `upload` in `GET /v1/models` can be replaced or deleted.",
    ),
    ErrorCause(
        model_upload_errors.ModelQuota(
            "There are 50 uploaded models, and at most 50 may be. Delete one first.", allowed="at most 50 models", got="50 models"
        ),
        "All uploaded models together have reached the largest number or the largest size.",
        "Delete an uploaded model that is no longer needed. The operator sets the limits with `CONVSCOPE_MAX_UPLOADED_MODELS` and "
        "`CONVSCOPE_MAX_UPLOADED_MODEL_BYTES`.",
    ),
)
