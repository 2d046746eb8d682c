"""The errors of callers who upload a model or delete an uploaded one."""

from __future__ import annotations

from schemas.errors import VisualizationError


class ModelUploadsOff(VisualizationError):
    """The operator has not turned uploads of models on, or the service cannot write to the models folder."""

    code, title = "model_uploads_off", "Models cannot be uploaded here"


class ModelNotUploaded(VisualizationError):
    """The name belongs to a model that was not uploaded, so no caller can replace or delete it."""

    code, title = "model_not_uploaded", "The model is not an uploaded one"


class ModelQuota(VisualizationError):
    """There are as many uploaded models, or as many bytes of them, as the operator allows."""

    code, title = "model_quota", "No room for another uploaded model"
