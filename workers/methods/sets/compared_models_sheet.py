"""The sheet of `compare_models`, and its facts: the answers of the models, and how much each pair of them agrees."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from jaxtyping import Float32, UInt8

from rendering import scaling
from rendering.charts.correlations import Correlation, correlations
from rendering.charts.tile_with_scale import picture_middle, tile_size, tile_with_scale
from rendering.patch_rows import PatchRow, patch_sheet
from rendering.photo import Photo
from rendering.sheets import photo_within
from rendering.side_by_side import CaptionedPicture
from rendering.text import PAPER
from schemas.methods import METHODS
from schemas.methods.facts import Prediction
from schemas.methods.sets.compare_models import CompareModels
from schemas.methods.sets.compare_models_facts import ComparedPhoto, CompareModelsFacts, ModelAnswer, ModelPair
from workers.contract.artifacts import Array, Output, Picture
from workers.methods.attribution_overlays import attribution_overlay
from workers.methods.class_scores import class_name, score_text
from workers.methods.photo_labels import photo_label
from workers.methods.sets.compared_models import ComparedModels
from workers.methods.sets.map_agreement import map_correlation, over_photo

BOX = (180, 240)  # height and width of a tile, in pixels


def draw(result: ComparedModels, photo: Photo | None, params: CompareModels) -> Output:
    """Return the sheet, each map, and the facts."""
    del photo
    facts = _facts(result, params)
    maps = [
        Array(f"map.{model.description.name}.{number}", each.map)
        for model, photos in zip(result.models, result.photos, strict=True)
        for number, each in enumerate(photos)
    ]
    return Output((Picture("sheet", _sheet(result, facts, params), primary=True), *maps), facts, tuple(_warnings(result, params)))


def rank_of(logits: Float32[np.ndarray, " c"], class_index: int) -> int:
    """Return the rank of a class: 1 plus the number of classes with a larger logit."""
    return 1 + int((logits > logits[class_index]).sum())


def _facts(result: ComparedModels, params: CompareModels) -> CompareModelsFacts:
    names = tuple(each.description.name for each in result.models)
    images = tuple(
        ComparedPhoto(image=image, number=number, answers=tuple(_answer(result, model, number) for model in range(len(names))))
        for number, image in enumerate(params.images)
    )
    pairs = tuple(_pair(result, first, second) for first, second in combinations(range(len(names)), 2))
    return CompareModelsFacts(attribution=params.attribution, models=names, images=images, pairs=pairs)


def _answer(result: ComparedModels, model: int, image: int) -> ModelAnswer:
    found = result.photos[model][image]
    places = [result.matches[model, other].indices.get(found.top.class_index) for other in range(len(result.models))]
    ranks = tuple(None if place is None else rank_of(result.logits[other][image], place) for other, place in enumerate(places))
    return ModelAnswer(
        model=result.models[model].description.name, top=found.top, ranks=ranks, explained=found.explained, own_class=found.own_class
    )


def _pair(result: ComparedModels, first: int, second: int) -> ModelPair:
    match = result.matches[first, second]
    both = list(zip(result.photos[first], result.photos[second], strict=True))
    same = [match.indices.get(a.top.class_index) == b.top.class_index for a, b in both]
    found = tuple(map_correlation(*(over_photo(each.map, each.photo.photo, each.place) for each in pair)) for pair in both)
    defined = [each for each in found if each is not None]
    return ModelPair(
        first=result.models[first].description.name,
        second=result.models[second].description.name,
        matched_by=match.by,
        matched_classes=len(match.indices),
        same_top_class=None if match.by is None else sum(same) / len(same),
        rank_correlations=found,
        mean_rank_correlation=sum(defined) / len(defined) if defined else None,
    )


def _sheet(result: ComparedModels, facts: CompareModelsFacts, params: CompareModels) -> UInt8[np.ndarray, "H W 3"]:
    rows: list[PatchRow] = []
    meanings: dict[str, None] = {}
    for number, compared in enumerate(facts.images):
        photo = photo_within(result.photos[0][number].photo.photo, *BOX).image
        middles = [picture_middle(BOX, scale=False)]
        label = photo_label(params, number, by_name=params.annotate)
        tiles = [CaptionedPicture(f"{label}\n ", tile_with_scale(photo, BOX, None) if params.annotate else photo)]
        for model, answer in enumerate(compared.answers):
            found = result.photos[model][number]
            rank = rank_of(result.logits[model][number], found.explained.class_index)
            heat = attribution_overlay(found.result, photo_within(found.photo.photo, *BOX), found.params)
            meanings |= dict.fromkeys([heat.meaning] if heat.meaning else [])
            picture = tile_with_scale(heat.image, BOX, heat.scale) if params.annotate else heat.image
            tiles.append(CaptionedPicture(f"{answer.model}\n{_caption(found.explained, rank)}", picture))
            middles.append(picture_middle(BOX, scale=heat.scale is not None))
        rows.append(PatchRow(_row_title(compared), tuple(tiles), tuple(middles) if params.annotate else ()))
    if not params.annotate:
        return patch_sheet(METHODS[params.attribution].card.title, rows, len(result.models) + 1, box=BOX)
    title = f"{CompareModels.card.title} · {METHODS[params.attribution].card.title}"
    note = "below a model's name: the class that the map explains, its probability, and its rank in the model's answer"
    sheet = patch_sheet(title, rows, len(result.models) + 1, " · ".join((note, *meanings)), tile_size(BOX))
    chart = correlations(
        [Correlation(f"{pair.first} and {pair.second}", pair.mean_rank_correlation) for pair in facts.pairs],
        "Rank correlation of the maps" + (f", mean of {len(facts.images)} photos" if len(facts.images) > 1 else ""),
        "near 1: the maps order the places alike; near 0: they have nothing in common; below 0: one marks what the other leaves out",
    )
    return _under_one_another(sheet, chart)


def _caption(scored: Prediction, rank: int) -> str:
    return f"{class_name(scored)} · {score_text(scored)} · rank {rank}"


def _row_title(compared: ComparedPhoto) -> str:
    tops = [f"{each.model}: {class_name(each.top)}" for each in compared.answers]
    return "top classes · " + " · ".join(tops)


def _under_one_another(*pictures: UInt8[np.ndarray, "_ _ 3"]) -> UInt8[np.ndarray, "H W 3"]:
    width = max(each.shape[1] for each in pictures)
    return np.concatenate([np.pad(each, ((0, 0), (0, width - each.shape[1]), (0, 0)), constant_values=PAPER[0]) for each in pictures])


def _warnings(result: ComparedModels, params: CompareModels) -> Iterator[str]:
    for (first, second), match in result.matches.items():
        if first < second and match.why_not:
            yield match.why_not
        if first < second and match.by == "index":
            names = [result.models[each].description.name for each in (first, second)]
            yield f"Models '{names[0]}' and '{names[1]}' have no labels, so their classes are taken to be the same by their indices."
    for model, photos in zip(result.models, result.photos, strict=True):
        name = model.description.name
        if params.explain == "same" and (own := [str(number) for number, each in enumerate(photos) if each.own_class]):
            yield f"Model '{name}' has no class that matches, so its map explains its own top class for these photos: {', '.join(own)}."
        for number, each in enumerate(photos):
            if why := scaling.why_degenerate(each.map):
                yield f"Model '{name}', photo {number}: the map is {why}; it is drawn as zeros."
