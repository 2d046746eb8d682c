"""Pictures with titles and scales, through the whole pipeline."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rendering import colormaps
from rendering.drawings import drawing_from
from rendering.drawings.annotated_map import AnnotatedMap
from rendering.drawings.maps_on_photo import MapsOnPhoto
from rendering.photo import Photo, Placement
from rendering.placement import place_on_photo
from schemas.artifacts import DeferredPicture, EncodedArtifact
from schemas.methods.cam.grad_cam import GradCam
from schemas.methods.facts import ExplainedClassesFacts, Prediction
from tests.workers.execution.bench import PipelineBench
from tests.workers.tiny import photo
from workers.contract.artifacts import Array, Output, PictureOfArrays
from workers.execution.annotate_pictures import draw


def pictures(artifacts: tuple[EncodedArtifact | DeferredPicture, ...]) -> dict[str, np.ndarray]:
    """Return the pictures that the worker has drawn."""
    images = [each for each in artifacts if isinstance(each, EncodedArtifact) and each.description.kind == "image"]
    return {each.description.name: np.asarray(Image.open(io.BytesIO(each.content))) for each in images}


def drawings(artifacts: tuple[EncodedArtifact | DeferredPicture, ...]) -> dict[str, AnnotatedMap]:
    """Return the drawings of the pictures that are drawn later."""
    later = [each for each in artifacts if isinstance(each, DeferredPicture)]
    found = {each.description.name: drawing_from(json.loads(each.drawing)) for each in later}
    return {name: drawing for name, drawing in found.items() if isinstance(drawing, AnnotatedMap)}


def contains(sheet: np.ndarray, part: np.ndarray, left: int = 0) -> bool:
    height, width = part.shape[:2]
    return any((sheet[top : top + height, left : left + width] == part).all() for top in range(len(sheet) - height + 1))


@pytest.mark.parametrize("method", ["grad_cam", "saliency", "grad_x_input", "guided_backprop", "occlusion"])
async def test_the_bare_picture_is_inside_the_annotated_one(bench: PipelineBench, method: str) -> None:
    bare = await bench.run(method, photo(3), class_index=1, annotate=False)
    rich = await bench.run(method, photo(3), class_index=1, annotate=True)
    ((name, small),) = pictures(bare.artifacts).items()
    large = pictures(rich.artifacts)[name]
    assert contains(large, small)
    assert large.shape[0] > small.shape[0] + 20
    assert json.loads(bare.facts) == json.loads(rich.facts)
    assert drawings(bare.artifacts) == {}
    (later,) = drawings(rich.artifacts).values()
    (said,) = [each.description for each in rich.artifacts if each.description.on_photo is not None]
    assert said.name == later.maps.source
    assert said.on_photo == place_on_photo(later.maps.placement)
    model = (await bench.published()).description.name
    assert later.title[1] == model
    assert later.explained.endswith("%")


async def test_the_photo_stands_beside_the_overlay_on_request(bench: PipelineBench) -> None:
    content = photo(3)
    shown = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    rich = pictures((await bench.run("grad_cam", content, annotate="side_by_side")).artifacts)["overlay"]
    bare = pictures((await bench.run("grad_cam", content, annotate=False)).artifacts)["overlay"]
    assert contains(rich, shown)
    assert contains(rich, bare, left=shown.shape[1] + 4)


async def test_frames_and_several_classes_are_annotated_too(bench: PipelineBench) -> None:
    several = await bench.run("grad_cam", photo(3), class_index=[0, 1, 2], annotate=True)
    assert drawings(several.artifacts)["heatmap"].explained == ""
    frames = await bench.run("grad_cam", photo(3), frames=2, annotate=True)
    (animation,) = (each for each in frames.artifacts if each.description.kind == "animation")
    overlay = pictures(frames.artifacts)["overlay"]
    assert animation.description.shape[1:] == overlay.shape


async def test_tiles_carry_their_numbers(bench: PipelineBench) -> None:
    options = {"layer": "relu", "channels": [1, 4], "size": 48, "steps": 2}
    rich, bare = [pictures((await bench.run("filters", annotate=annotate, **options)).artifacts)["grid"] for annotate in (True, False)]
    assert rich.shape[0] > bare.shape[0]  # a title stands above the tiles
    tiles = rich[-bare.shape[0] :, : bare.shape[1]]
    assert (tiles[20:] == bare[20:]).all()
    assert (tiles[:12, :8] != bare[:12, :8]).any()
    assert (tiles[:12, 52:60] != bare[:12, 52:60]).any()


async def test_the_overlay_of_a_test_names_the_class_that_is_explained(bench: PipelineBench) -> None:
    options = {"attribution": "grad_cam", "steps": 2, "class_index": 1}
    tested = drawings((await bench.run("faithfulness", photo(3), annotate=True, **options)).artifacts)["overlay"]
    alone = drawings((await bench.run("grad_cam", photo(3), annotate=True, class_index=1)).artifacts)["heatmap"]
    assert tested.explained == alone.explained != ""


async def test_an_activation_lies_where_a_map_of_its_layer_lies(bench: PipelineBench) -> None:
    results = [await bench.run(method, photo(3), layer="relu") for method in ("activations", "grad_cam")]
    described = [each.description for result in results for each in result.artifacts if isinstance(each, EncodedArtifact)]
    places = {each.name: each.on_photo for each in described if each.kind == "array"}
    assert places["activations"] is not None
    assert places["activations"] == places["map"]


async def test_the_sheet_of_several_methods_has_a_scale_beside_it(bench: PipelineBench) -> None:
    rich, bare = [
        pictures((await bench.run("compare", photo(3), methods=["grad_cam", "layer_cam"], annotate=annotate, class_index=1)).artifacts)[
            "sheet"
        ]
        for annotate in (True, False)
    ]
    ends = [(rich == colormaps.table("turbo")[end]).all(-1).any() for end in (0, 255)]
    assert rich.shape != bare.shape
    assert ends == [True, True]


def test_a_line_of_the_method_stands_in_place_of_the_explained_class() -> None:
    shown = Photo(np.full((40, 60, 3), 90, np.uint8), Placement((4, 6), (0, 0, 4, 6), (0, 0, 40, 60)))
    maps = MapsOnPhoto(photo_size=(40, 60), placement=shown.placement, source="map", scaling="heat", colormap="jet", alpha=0.5)
    array = Array("map", np.arange(6, dtype=np.float32).reshape(2, 3))
    facts = ExplainedClassesFacts.model_construct(
        classes=(Prediction(class_index=1, label="cat", logit=1, probability=0.5, head="softmax"),), target=None
    )

    def words(line: str) -> str:
        output = Output((PictureOfArrays.of("overlay", maps, [array]), array), facts, line=line)
        method, params = SimpleNamespace(draw=lambda *_: output), GradCam(layer="conv")
        job: Any = SimpleNamespace(method=method, params=params, model=None)
        drawing = next(each.drawing for each in draw(job, None, shown).artifacts if isinstance(each, PictureOfArrays))
        assert isinstance(drawing, AnnotatedMap)
        assert drawing.title == ("Grad-CAM", "conv")
        return drawing.explained

    assert words("") == "cat (1) · 50.0%"
    assert words("the class token attends") == "the class token attends"
