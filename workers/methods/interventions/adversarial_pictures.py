"""The pictures and facts of `adversarial`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from rendering import text
from rendering.charts.before_after import ChangedShare, before_after_tile
from rendering.charts.scaled_tiles import scaled_tile, scaled_tile_size, tiles_in_rows
from rendering.drawings.input_picture import InputPicture
from rendering.photo import Photo, Placement
from rendering.side_by_side import CaptionedPicture, side_by_side
from rendering.titles import titled
from schemas.methods import METHODS
from schemas.methods.facts import Prediction
from schemas.methods.interventions.adversarial import Adversarial, AdversarialFacts
from workers.contract.artifacts import Array, Output, Picture, PictureOfArrays
from workers.methods.attribution_overlays import AttributionOverlay, attribution_overlay
from workers.methods.class_scores import class_name, score_text
from workers.methods.interventions.adversarial_result import AdversarialResult, ExplainedAnswer
from workers.methods.interventions.attacks import size_of
from workers.methods.interventions.pixel_units import as_input

GREY = 127.5
SHOWN = 5  # classes whose scores before and after are drawn

Shown = UInt8[np.ndarray, "_ _ 3"]


@dataclass(frozen=True)
class _Words:
    """The captions of the three photos and of the two heats."""

    photos: tuple[str, str, str]
    heats: tuple[str, str]


def draw(result: AdversarialResult, photo: Photo, params: Adversarial) -> Output:
    """Return the photo, the change and the changed photo with their heats, and the facts."""
    del photo  # everything is shown as the model sees it
    spec = result.published.description.preprocessing
    size = (result.change.shape[0], result.change.shape[1])
    seen = InputPicture(mean=spec.mean, std=spec.std, reverse=spec.order == "bgr")
    shown = [_picture(each, seen) for each in (as_input(result.pixels, spec), result.changed)]
    facts = _facts(result, params)
    under = [Photo(image, Placement(size, (0, 0, *size), (0, 0, *size))) for image in shown]
    heats = [
        attribution_overlay(answer.result, each, answer.params) for answer, each in zip((result.before, result.after), under, strict=True)
    ]
    change = _picture(as_input(GREY + facts.enlarged * result.change, spec), seen)
    words, photos = _words(facts, params), (shown[0], change, shown[1])
    sheet = _annotated_sheet(photos, heats, words, _changed_shares(result)) if params.annotate else _bare_sheet(photos, heats, words)
    picture = titled(sheet, _title(facts, result))
    maps = [Array(f"map.{name}", each.result.maps[0]) for name, each in (("before", result.before), ("after", result.after))]
    changed = Array("input", result.changed)
    artifacts = (
        Picture("picture", picture, primary=True),
        PictureOfArrays.of("changed", seen, [changed]),
        Array("change", result.change.astype(np.float32)),
        changed,
        *maps,
    )
    return Output(artifacts, facts, tuple(_warnings(facts, params)))


def _annotated_sheet(photos: Sequence[Shown], heats: Sequence[AttributionOverlay], words: _Words, shares: list[ChangedShare]) -> Shown:
    """Return the photos in one row, and below them the heats with their scales. The scores before and after stand between the heats."""
    size = (photos[0].shape[0], photos[0].shape[1])
    meanings = dict.fromkeys(each.meaning for each in heats if each.meaning)
    tiles = [
        *(scaled_tile(caption, each, size) for caption, each in zip(words.photos, photos, strict=True)),
        scaled_tile(words.heats[0], heats[0].image, size, heats[0].scale),
        before_after_tile(shares, scaled_tile_size(size)),
        scaled_tile(words.heats[1], heats[1].image, size, heats[1].scale),
    ]
    sheet = tiles_in_rows(tiles, 3)
    return np.concatenate([sheet, *(text.line(each, sheet.shape[1]) for each in meanings)])


def _bare_sheet(photos: Sequence[Shown], heats: Sequence[AttributionOverlay], words: _Words) -> Shown:
    captions = (*words.photos, words.heats[0], "", words.heats[1])
    pictures = (*photos, heats[0].image, np.full((1, 1, 3), 255, np.uint8), heats[1].image)
    return side_by_side(list(map(CaptionedPicture, captions, pictures)), (photos[0].shape[0], photos[0].shape[1]), columns=3)


def _changed_shares(result: AdversarialResult) -> list[ChangedShare]:
    """Return the probabilities of the top class before, the one after, and the next classes of the photo."""
    before, after = ({each.class_index: each for each in answer.ranked} for answer in (result.before, result.after))
    classes = dict.fromkeys((result.before.ranked[0].class_index, result.after.ranked[0].class_index, *before))
    return [ChangedShare(class_name(before[each]), before[each].probability, after[each].probability) for each in list(classes)[:SHOWN]]


def enlarging_factor(change: Float64[np.ndarray, "H W C"]) -> float:
    """Return the power of two with which the largest change, times this, comes near to 127 and does not exceed it; 1 for no change."""
    largest = float(np.abs(change).max())
    return float(2.0 ** np.floor(np.log2(127 / largest))) if largest > 0 else 1.0


def _facts(result: AdversarialResult, params: Adversarial) -> AdversarialFacts:
    target = params.target_class if isinstance(params.target_class, int) else None
    before = _listed(result.before, params.top, set() if target is None else {target})
    return AdversarialFacts(
        attack=params.attack,
        norm=params.norm,
        epsilon=params.epsilon if result.smallest is None else result.smallest,
        flipped=result.flipped,
        flipped_as_levels=result.flipped_as_levels,
        smallest_epsilon=result.smallest,
        change_linf=size_of(result.change, "linf"),
        change_l2=size_of(result.change, "l2"),
        before=before,
        after=_listed(result.after, params.top, {each.class_index for each in before}),
        enlarged=enlarging_factor(result.change),
        gradients=result.gradients,
    )


def _listed(answer: ExplainedAnswer, top: int, also: set[int]) -> tuple[Prediction, ...]:
    return tuple(each for rank, each in enumerate(answer.ranked) if rank < top or each.class_index in also)


def _words(facts: AdversarialFacts, params: Adversarial) -> _Words:
    method = METHODS[params.attribution].card.title
    return _Words(
        photos=(
            f"photo · {_caption(facts.before[0])}",
            f"change × {facts.enlarged:g}, grey: none",
            f"changed · {_caption(facts.after[0])}",
        ),
        heats=(f"{method} of the photo", f"{method} of the changed photo"),
    )


def _title(facts: AdversarialFacts, result: AdversarialResult) -> str:
    norm = "L∞" if facts.norm == "linf" else "L2"
    found = "answer flipped" if facts.flipped else "answer not flipped"
    smallest = "smallest " if facts.smallest_epsilon is not None else ""
    name = result.published.description.name
    return f"{Adversarial.card.title} · {name} · {facts.attack.upper()} · {smallest}{norm} ε {facts.epsilon:.3g} of 255 · {found}"


def _caption(scored: Prediction) -> str:
    return f"{class_name(scored)} · {score_text(scored)}"


def _picture(tensor: Float32[np.ndarray, "H W C"], seen: InputPicture) -> UInt8[np.ndarray, "H W 3"]:
    return seen.draw({seen.source: tensor})


def _warnings(facts: AdversarialFacts, params: Adversarial) -> Iterator[str]:
    if not facts.flipped:
        hint = "Try attack 'pgd', or a larger epsilon." if params.attack == "fgsm" else "Try more steps, or a larger epsilon."
        yield f"No change up to {params.epsilon:g} was found that flips the answer. {hint}"
    elif not facts.flipped_as_levels:
        yield "The answer flips, but not if the changed photo is rounded to whole levels of 0-255, as an image file has them."
