"""Give the pictures of a job their titles and scales, if its parameters ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.annotations import PictureWords, annotated, letters_for
from rendering.drawings.annotated_map import AnnotatedMap
from rendering.drawings.maps_on_photo import MapsOnPhoto
from rendering.photo import Photo
from rendering.placement import place_on_photo
from schemas.methods.annotate import AnnotateParams, TitleParams
from schemas.methods.base import MethodParams
from schemas.methods.facts import ExplainedClassesFacts, ExplainedFacts, Facts, Prediction
from workers.contract.artifacts import Array, DrawnArtifact, Output, Picture, PictureOfArrays
from workers.execution.pipeline_job import PipelineJob
from workers.methods.sheets import class_captions


def draw(job: PipelineJob, value: Any, photo: Photo | None) -> Output:
    """Return the output that the job's method draws from what it has computed, with titles and scales if `annotate` asks for them."""
    output = job.method.draw(value, photo, job.params)
    output = output if photo is None else placed(output)
    if not isinstance(job.params, AnnotateParams | TitleParams) or not job.params.annotate:
        return output
    words = PictureWords(_parts(job), output.line or _explained(output.facts))
    beside = job.params.annotate == "side_by_side"
    under = photo.image if photo is not None and isinstance(job.params, AnnotateParams) else None
    return replace(output, artifacts=tuple(_artifacts(output, words, under, beside=beside)))


def placed(output: Output) -> Output:
    """Return the output with the place on the photo of each array that one of its pictures lays over the photo.

    An array whose place the method has named itself keeps it.
    """
    drawings = [each.drawing for each in output.artifacts if isinstance(each, Picture | PictureOfArrays)]
    places = {each.source: place_on_photo(each.placement) for each in drawings if isinstance(each, MapsOnPhoto)}
    artifacts = (
        replace(each, on_photo=places.get(each.name, each.on_photo)) if isinstance(each, Array) else each for each in output.artifacts
    )
    return replace(output, artifacts=tuple(artifacts))


def _artifacts(output: Output, words: PictureWords, photo: NDArray[np.uint8] | None, *, beside: bool) -> Iterator[DrawnArtifact]:
    """Yield the artifacts, with words around the pictures of maps and around the primary picture.

    `photo` is what lies under the maps. If it is None, the primary picture shows no map over a photo, and its own width decides how large
    its letters are.
    """
    arrays = {each.name: each.array for each in output.artifacts if isinstance(each, Array)}
    for artifact in output.artifacts:
        match artifact:
            case Picture(drawing=MapsOnPhoto() as maps) | PictureOfArrays(drawing=MapsOnPhoto() as maps):
                drawing = AnnotatedMap(maps=maps, title=words.parts, explained=words.ending, beside_photo=beside)
                if isinstance(artifact, Picture):
                    yield replace(artifact, image=drawing.around(artifact.image, arrays, photo), drawing=drawing)
                else:
                    yield replace(artifact, drawing=drawing, size=drawing.size(arrays))
            case Picture(primary=True):
                height, width = artifact.image.shape[:2]
                letters = letters_for(width if photo is None else photo.shape[1], height)
                explained = replace(words, letters=letters, note=artifact.meaning)
                yield replace(artifact, image=annotated(artifact.image, explained, artifact.scale))
            case _:
                yield artifact


def _parts(job: PipelineJob) -> tuple[str, ...]:
    """Return the method, the model and the layers."""
    model = () if job.model is None else (job.model.published.description.name,)
    return (job.params.card.title, *model, *_layers(job.params))


def _layers(params: MethodParams) -> tuple[str, ...]:
    layer = getattr(params, "layer", None)
    if layer is None:
        return ()
    return (layer,) if isinstance(layer, str) else tuple(layer)


def _explained(facts: Facts) -> str:
    """Return the one class or target that is explained, with its probability or value. Several classes have captions of their own."""
    if isinstance(facts, ExplainedFacts) and facts.target is not None:
        return facts.target if facts.value is None else f"{facts.target} · {facts.value:.4g}"
    if isinstance(facts, ExplainedClassesFacts):
        return class_captions(facts.classes)[0] if len(facts.classes) == 1 else ""
    if isinstance(facts, ExplainedFacts) and facts.class_index is not None:  # `faithfulness` explains one class, without a list
        return class_captions([Prediction.model_validate({name: getattr(facts, name) for name in Prediction.model_fields})])[0]
    return ""
