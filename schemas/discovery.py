"""What `GET /v1/methods` answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from schemas.artifacts import ArtifactKind, DocumentType
from schemas.jobs import JobRequest, example_request, job_request_adapter
from schemas.methods import METHODS
from schemas.methods.card import Lane


class MethodArtifact(BaseModel):
    """An artifact that a method makes. `{layer}` or `{image}` in its name: there is one for each."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    name: str
    kind: ArtifactKind
    description: str
    primary: bool
    media_type: DocumentType | None = Field(description="Of a document.")
    optional: bool = Field(description="It may be missing: the description says when, or the job's warnings why.")


class MethodDescription(BaseModel):
    """A method, and all that is needed to ask for it."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(examples=["grad_cam"])
    title: str = Field(examples=["Grad-CAM"])
    summary: str
    reference: str = Field(description="Paper or source.")
    needs_image: bool
    needs_model: bool = Field(description="Otherwise `model` is left out of a submission.")
    lane: Lane = Field(description="`slow` ones run in slices between which `fast` ones go first.")
    parameters: dict[str, JsonValue] = Field(description="JSON schema of `params`, with defaults and bounds.")
    example: JobRequest = Field(description="An example submission.")
    artifacts: tuple[MethodArtifact, ...]


def describe_method(name: str) -> MethodDescription:
    card = METHODS[name].card
    return MethodDescription(
        name=card.name,
        title=card.title,
        summary=card.summary,
        reference=card.reference,
        needs_image=card.needs_image,
        needs_model=card.needs_model,
        lane=card.lane,
        parameters=METHODS[name].model_json_schema(),
        example=job_request_adapter.validate_python(example_request(name)),
        artifacts=tuple(MethodArtifact.model_validate(spec) for spec in card.artifacts),
    )
