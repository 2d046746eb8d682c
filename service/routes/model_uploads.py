"""The routes that change the models: upload one, and delete an uploaded one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from schemas.models import ModelDescription
from service.dependencies import ServicesDep
from service.model_uploads.receive_model import MEDIA_TYPES
from service.problems import documented
from service.responses import model_response

router = APIRouter(tags=["discovery"])

NameOfUpload = Annotated[str, Path(description="The name of the model. It must match `^[a-z0-9][a-z0-9._-]{0,63}$`.", examples=["flowers"])]
_FILE = {"schema": {"type": "string", "format": "binary"}, "example": "the bytes of flowers.keras"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself.",
        "content": dict.fromkeys(MEDIA_TYPES, _FILE),
    }
}


@router.put(
    "/v1/models/{model}",
    operation_id="upload_model",
    summary="Upload a model",
    response_model=ModelDescription,
    response_description="The model has replaced the uploaded model of this name.",
    responses={201: {"description": "The model is new.", "model": ModelDescription}} | documented(400, 409, 413, 415, 422, 503),
    openapi_extra=_BODY,
)
async def upload_model(model: NameOfUpload, request: Request, services: ServicesDep) -> Response:
    """The body is a `.keras` or `.h5` file, as for `curl -T flowers.keras`; its first bytes say which. The operator must have turned
    uploads on. A worker loads the file and describes the model before the answer comes, with the checks that every model file passes.
    If that fails, nothing is kept, and a model of this name stays as it is. A new file under the same name is a new version: results of
    the old one are not shown for it, and jobs that run end on the version that they have loaded."""
    description, created = await services.uploaded_models.upload(request, model)
    return model_response(description, 201 if created else 200, {"Location": f"/v1/models/{model}"})


@router.delete(
    "/v1/models/{model}",
    operation_id="delete_model",
    summary="Delete an uploaded model",
    status_code=204,
    response_description="The model is deleted.",
    responses=documented(404, 409, 503),
)
async def delete_model(model: NameOfUpload, services: ServicesDep) -> Response:
    """The file, its description and the settings beside it are deleted. Only models whose `source` is `upload` can be deleted. A job that
    has the model in memory goes on; one that still has to load it fails with `model_changed`."""
    await services.uploaded_models.delete(model)
    return Response(status_code=204)
