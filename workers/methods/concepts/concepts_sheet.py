"""The picture and the facts of `craft`: the concepts on the photos, their importance, and the crops that show them most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import UInt8

from rendering.grid import grid
from rendering.legend import legend_with_bars
from rendering.overlays.parts import PART_COLOURS, parts_on_photo
from rendering.patch_rows import PatchRow, patch_sheet
from rendering.photo import Photo
from rendering.sheets import photo_within
from rendering.side_by_side import CaptionedPicture, fit_in_box
from rendering.text import PAPER, captioned
from rendering.titles import titled
from schemas.methods.concepts.craft import Concept, ConceptCrop, Craft, CraftFacts
from workers.contract.artifacts import Array, Output, Picture
from workers.methods.concepts.class_concepts import ClassConcepts
from workers.methods.inspection.photo_batches import these_photos
from workers.methods.photo_labels import label_with_value, photo_label

MOST_DRAWN = 8  # photos with colours
MOST_NAMED = 5  # photos of another class that a warning names
BOX = (210, 280)  # height and width in pixels of the box of a photo
FRAME = 5  # pixels of the frame of a crop in the concept's colour


def draw(result: ClassConcepts, photo: Photo | None, params: Craft) -> Output:
    """Return the sheet, the arrays and the facts. Concepts are sorted by importance, the largest first."""
    del photo
    result = _sorted(result)
    facts = CraftFacts(
        layer=params.layer or "",
        class_index=result.class_index,
        label=result.model.label_of(result.class_index),
        images_of_class=result.top_classes.count(result.class_index),
        crops=len(result.crops),
        masks=params.masks(),
        concepts=tuple(_concept(result, number, params) for number in range(len(result.vectors))),
        relative_error=result.relative_error,
        iterations=result.factors.iterations,
        converged=result.factors.converged,
    )
    boxes = np.array([(each.image, *each.box) for each in result.crops], np.int32)
    return Output(
        (
            Picture("sheet", _sheet(result, facts, params), primary=True),
            Array("importances", result.importances.astype(np.float32)),
            *(Array(f"maps.{number}", maps) for number, maps in enumerate(result.maps)),
            Array("vectors", result.vectors),
            Array("values", result.values),
            Array("crops", boxes),
        ),
        facts,
        tuple(_warnings(result, params)),
    )


def _sorted(result: ClassConcepts) -> ClassConcepts:
    """Return the concepts by importance, with values and maps whose largest value is 1."""
    order = np.argsort(-result.importances.mean(axis=0), kind="stable")
    most = np.max([maps.max(axis=(1, 2)) for maps in result.maps], axis=0)
    peaks = result.values.max(axis=0)
    scale, own = (np.where(each > 0, each, 1).astype(np.float32) for each in (most, peaks))
    return replace(
        result,
        values=(result.values / own)[:, order],
        vectors=result.vectors[order],
        maps=tuple((maps / scale[:, None, None])[order] for maps in result.maps),
        importances=result.importances[:, order],
    )


def _concept(result: ClassConcepts, number: int, params: Craft) -> Concept:
    values = result.values[:, number]
    strongest = [int(each) for each in np.argsort(-values, kind="stable")[: params.examples] if values[each] > 0]
    return Concept(
        number=number,
        importance=float(result.importances[:, number].mean()),
        crops=tuple(
            ConceptCrop(image=params.images[crop.image], number=crop.image, box=crop.box, value=float(values[each]))
            for each, crop in ((each, result.crops[each]) for each in strongest)
        ),
    )


def _sheet(result: ClassConcepts, facts: CraftFacts, params: Craft) -> UInt8[np.ndarray, "H W 3"]:
    drawn: list[np.ndarray] = []
    for own, maps in list(zip(result.under_maps, result.maps, strict=True))[:MOST_DRAWN]:
        small = photo_within(own, *BOX)
        drawn.append(fit_in_box(parts_on_photo(maps, small), *BOX))
    photos = grid(
        captioned(np.stack(drawn), [_caption(result, each, params) for each in range(len(drawn))], 12), columns=4, gap=6, background=PAPER
    )
    rows = [
        PatchRow(
            f"concept {each.number} · importance {each.importance:.2f}", tuple(_crop(result, each, crop, params) for crop in each.crops)
        )
        for each in facts.concepts
    ]
    crops = patch_sheet("Crops that show each concept most", rows, params.examples, "above a crop: its photo, and its share of the concept")
    width = max(photos.shape[1], crops.shape[1], 640)
    highest = max([each.importance for each in facts.concepts] + [1.0])
    bars = [
        (PART_COLOURS[each.number], f"concept {each.number} · {each.importance:.3f}", each.importance / highest) for each in facts.concepts
    ]
    sheet = np.concatenate([_widened(each, width) for each in (photos, titled(legend_with_bars(bars, width), "Importance"), crops)])
    title = f"{Craft.card.title} · {result.model.description.name} · {facts.layer} · {_class_words(result, facts.class_index)}"
    return titled(sheet, title) if params.annotate else sheet


def _caption(result: ClassConcepts, number: int, params: Craft) -> str:
    """Return the words above a photo: its name or number, and its top class if it is another one than that of the concepts."""
    own, label = result.top_classes[number], photo_label(params, number, by_name=params.annotate)
    return label if own == result.class_index else f"{label} · {_class_words(result, own)}"


def _class_words(result: ClassConcepts, index: int) -> str:
    label = result.model.label_of(index)
    return f"{label} ({index})" if label else f"class {index}"


def _crop(result: ClassConcepts, concept: Concept, crop: ConceptCrop, params: Craft) -> CaptionedPicture:
    top, left, height, width = crop.box
    cut = result.photos[crop.number].image[top : top + height, left : left + width]
    framed = fit_in_box(cut, 100, 100)
    sides = ((FRAME, FRAME), (FRAME, FRAME))
    colour = PART_COLOURS[concept.number]
    picture = np.stack([np.pad(framed[..., each], sides, constant_values=colour[each]) for each in range(3)], axis=-1)
    return CaptionedPicture(label_with_value(params, crop.number, f"{crop.value:.2f}", by_name=params.annotate), picture)


def _widened(picture: UInt8[np.ndarray, "h w 3"], width: int) -> UInt8[np.ndarray, "h W 3"]:
    return np.pad(picture, ((0, 0), (0, width - picture.shape[1]), (0, 0)), constant_values=PAPER[0])


def _warnings(result: ClassConcepts, params: Craft) -> Iterator[str]:
    empty, count = [str(number) for number, values in enumerate(result.values.T) if not values.any()], len(result.photos)
    if len(empty) == result.values.shape[1]:
        where = f"in any crop of {these_photos(count)}"
        yield f"Layer '{params.layer}' has no activation above 0 {where}, so there are no concepts. Name another layer or other photos."
    elif empty:
        yield f"These concepts are in no crop: {', '.join(empty)}."
    if other := [number for number, own in enumerate(result.top_classes) if own != result.class_index]:
        named = [f"photo {number} is {_class_words(result, result.top_classes[number])}" for number in other[:MOST_NAMED]]
        more = f", and {len(other) - MOST_NAMED} more" if len(other) > MOST_NAMED else ""
        yield (
            f"Class {result.class_index} is not the model's top class for {len(other)} of {count} photos: {', '.join(named)}{more}. Their "
            "crops shape the concepts, too."
        )
    if count == 1:
        yield "One photo only shows what its own crops have in common. Give more photos of the class to find its concepts."
    if not result.importances.any():
        yield "No concept changes the class's logit."
    if not result.factors.converged:
        yield f"The factorization stopped at {params.max_iterations} iterations before it had converged. Raise `max_iterations`."
    if len(result.photos) > MOST_DRAWN:
        yield f"The sheet shows the first {MOST_DRAWN} of {len(result.photos)} photos."
