"""The pictures and the facts of `dff`: the photos with their parts in colours, and each part alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import UInt8

from rendering.grid import grid
from rendering.legend import legend
from rendering.overlays.blend import blend
from rendering.overlays.parts import PART_COLOURS, parts_on_photo
from rendering.patch_rows import PatchRow, patch_sheet
from rendering.photo import Photo
from rendering.sheets import photo_within
from rendering.side_by_side import CaptionedPicture, fit_in_box
from rendering.text import PAPER, captioned
from rendering.titles import titled
from schemas.methods.concepts.dff import Dff, DffFacts, PhotoPart
from workers.contract.artifacts import Array, Output, Picture
from workers.methods.class_scores import class_name, score_text
from workers.methods.concepts.photo_parts import Parts
from workers.methods.inspection.photo_batches import these_photos
from workers.methods.photo_labels import label_with_value, photo_label

LARGE, MIDDLE, SMALL = (320, 420), (225, 300), (150, 200)  # height and width in pixels of the box of a photo: few, many, each part alone
MOST_LARGE = 2  # photos that are drawn large


def draw(result: Parts, photo: Photo | None, params: Dff) -> Output:
    """Return the colours on the photos, each part alone, the maps, the vectors and the facts."""
    del photo
    classes = result.classes or ((),) * len(result.shares)
    facts = DffFacts(
        layer=params.layer or "",
        parts=tuple(
            PhotoPart(number=number, share=share, classes=found if share > 0 else ())
            for number, (share, found) in enumerate(zip(result.shares, classes, strict=True))
        ),
        labelled=result.classes is not None,
        relative_error=result.relative_error,
        relative_errors=result.relative_errors,
        iterations=result.factors.iterations,
        converged=result.factors.converged,
    )
    return Output(
        (
            Picture("sheet", _colours(result, facts, params), primary=True),
            Picture("parts", _each_part(result, facts, params)),
            *(Array(f"maps.{number}", maps) for number, maps in enumerate(result.maps)),
            Array("vectors", result.vectors),
        ),
        facts,
        tuple(_warnings(result, params)),
    )


def words_of(part: PhotoPart) -> str:
    """Return a part in words: "part 0 · 34% of the activations · tabby (281) 20.1%"."""
    scored = (f"{class_name(each)} {score_text(each)}" for each in part.classes)
    return " · ".join((f"part {part.number}", f"{part.share:.0%} of the activations", *scored))


def _colours(result: Parts, facts: DffFacts, params: Dff) -> UInt8[np.ndarray, "H W 3"]:
    tiles: list[np.ndarray] = []
    few = len(result.photos) <= MOST_LARGE
    box = LARGE if few else MIDDLE
    for number, (own, maps) in enumerate(zip(result.photos, result.maps, strict=True)):
        drawn = photo_within(own, *box)
        pair = np.stack([fit_in_box(each, *box) for each in (drawn.image, parts_on_photo(maps, drawn))])
        label = photo_label(params, number, by_name=params.annotate)
        tiles += list(captioned(pair, (label, f"parts of {label}"), 13))
    sheet = grid(tiles, columns=2 if few else 4, gap=6, background=PAPER)
    sheet = np.concatenate([sheet, legend(list(zip(PART_COLOURS, map(words_of, facts.parts), strict=False)), sheet.shape[1])])
    return titled(sheet, _title(result, facts)) if params.annotate else sheet


def _each_part(result: Parts, facts: DffFacts, params: Dff) -> UInt8[np.ndarray, "H W 3"]:
    drawn = [photo_within(each, *SMALL) for each in result.photos]
    rows = [
        PatchRow(
            words_of(part),
            tuple(
                CaptionedPicture(
                    label_with_value(params, number, f"at most {maps[part.number].max():.2f}", by_name=params.annotate),
                    blend(maps[part.number], own, "jet", 0.5)[0],
                )
                for number, (own, maps) in enumerate(zip(drawn, result.maps, strict=True))
            ),
        )
        for part in facts.parts
    ]
    return patch_sheet(_title(result, facts) if params.annotate else "", rows, len(drawn), "", SMALL)


def _title(result: Parts, facts: DffFacts) -> str:
    return f"{Dff.card.title} · {result.model} · {facts.layer} · relative error {facts.relative_error:.2f}"


def _warnings(result: Parts, params: Dff) -> Iterator[str]:
    empty = [str(part) for part in range(len(result.shares)) if not any(maps[part].any() for maps in result.maps)]
    if len(empty) == len(result.shares):
        photos = these_photos(len(result.photos))
        yield f"Layer '{params.layer}' has no activation above 0 in {photos}, so there are no parts. Name another layer or other photos."
    elif empty:
        yield f"These parts are zero everywhere, because fewer parts rebuild the activations: {', '.join(empty)}."
    if result.classes is None:
        yield (
            f"The parts have no classes: the model's class scores do not depend on the mean of layer '{params.layer}' over its "
            "positions alone."
        )
    if not result.factors.converged:
        yield f"The factorization stopped at {params.max_iterations} iterations before it had converged. Raise `max_iterations`."
