"""The answer to `GET /v1/methods`: what each method does, takes and returns."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from schemas.artifacts import ArtifactKind, DocumentType
from schemas.job_requests import JobRequest, example_request, job_request_adapter
from schemas.methods import METHODS, family_of
from schemas.methods.card import FAMILY_TITLES, Family, Lane


class MethodArtifact(BaseModel):
    """An artifact that a method makes. If its name contains `{layer}` or `{image}`, there is one for each layer or image."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    name: str = Field(description="The name of the artifact in the job's result.")
    kind: ArtifactKind
    description: str = Field(description="A sentence about what the artifact shows or holds.")
    primary: bool = Field(description="True for the one artifact that the method is mainly asked for.")
    media_type: DocumentType | None = Field(description="The media type of a document. It is null for other artifacts.")
    optional: bool = Field(description="True if a result may lack it. The description says when, or the job's warnings say why.")


class MethodDescription(BaseModel):
    """A method, with everything that a client needs to ask for it."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(examples=["grad_cam"], description="A submission names the method by this name.")
    title: str = Field(examples=["Grad-CAM"], description="The name for people to read.")
    summary: str = Field(description="One or two sentences about what the result shows.")
    reference: str = Field(description="The paper or the source that the method follows.")
    family: Family = Field(description="The group of methods that answer the same kind of question.")
    family_title: str = Field(examples=["Where does the model look for the class?"], description="The question that the family answers.")
    formula: str = Field(description="The arithmetic in one line.")
    cost: str = Field(description="How often the model runs, forward and backward.")
    how_to_read: str = Field(description="What a viewer can conclude from the picture.")
    when_it_misleads: str = Field(description="What the picture does not say, or says wrongly.")
    needs_image: bool = Field(description="True if a submission must have an image.")
    needs_model: bool = Field(description="True if a submission must name a model. Otherwise `model` is left out.")
    forward_only: bool = Field(
        description="True if the method also works with models that can only be run (`forward_only`): ONNX and TFLite files."
    )
    lane: Lane = Field(description="Jobs of the `slow` lane run in slices. Between two slices, jobs of the `fast` lane go first.")
    parameters: dict[str, JsonValue] = Field(description="The JSON schema of `params`, with defaults and limits.")
    example: JobRequest = Field(description="A submission that works for most models.")
    artifacts: tuple[MethodArtifact, ...] = Field(description="The artifacts that a job of this method makes.")


def describe_method(name: str) -> MethodDescription:
    """Return the description of the method `name`, which must be one of `METHODS`."""
    card = METHODS[name].card
    return MethodDescription(
        name=card.name,
        title=card.title,
        summary=card.summary,
        reference=card.reference,
        family=family_of(name),
        family_title=FAMILY_TITLES[family_of(name)],
        formula=card.formula,
        cost=card.cost,
        how_to_read=card.how_to_read,
        when_it_misleads=card.when_it_misleads,
        needs_image=card.needs_image,
        needs_model=card.needs_model,
        forward_only=card.forward_only,
        lane=card.lane,
        parameters=METHODS[name].model_json_schema(),
        example=job_request_adapter.validate_python(example_request(name)),
        artifacts=tuple(MethodArtifact.model_validate(spec) for spec in card.artifacts),
    )
