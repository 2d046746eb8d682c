"""The picture and the facts of `tcav`: the scores as bars, and photos of the concepts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import UInt8

from rendering.charts.score_bars import ScoreBar, score_bars
from rendering.patch_rows import PatchRow, patch_sheet
from rendering.photo import Photo
from rendering.side_by_side import CaptionedPicture
from rendering.text import PAPER
from rendering.titles import titled
from schemas.methods.concepts.tcav import Tcav
from schemas.methods.concepts.tcav_facts import ConceptScore, RandomScore, TcavFacts
from workers.contract.artifacts import Array, Output, Picture
from workers.methods.concepts.concept_vectors import two_sided_p
from workers.methods.concepts.tcav_result import TcavResult

LEVELS = (0.05, 0.01, 0.001)  # a star for each level that the corrected p-value is below
SHOWN = 7  # photos in each row
UNKNOWN = 0.6  # a warning says so if the accuracy is below this


def draw(result: TcavResult, photo: Photo | None, params: Tcav) -> Output:
    """Return the bars with the photos of the concepts, the arrays and the facts."""
    del photo
    facts = _facts(result, params)
    arrays = [
        Array("scores", np.stack([each.scores for each in result.by_concept]).astype(np.float32)),
        Array("derivatives", np.stack([each.derivatives for each in result.by_concept]).astype(np.float32)),
        Array("vectors", result.vectors),
    ]
    if result.by_chance is not None:
        arrays.append(Array("random_scores", result.by_chance.scores.astype(np.float32)))
    return Output((Picture("sheet", _sheet(result, facts, params), primary=True), *arrays), facts, tuple(_warnings(result, facts)))


def _facts(result: TcavResult, params: Tcav) -> TcavFacts:
    chance = None if result.by_chance is None else result.by_chance.scores
    concepts = tuple(_concept(result, params, number) for number in range(len(result.by_concept)))
    random = None
    if result.by_chance is not None and chance is not None:
        random = RandomScore(
            score=float(chance.mean()),
            standard_deviation=float(chance.std()),
            scores=tuple(chance.tolist()),
            accuracy=float(result.by_chance.accuracies.mean()),
        )
    return TcavFacts(
        layer=params.layer or "",
        pool=params.pool or "none",
        class_index=result.class_index,
        label=result.model.label_of(result.class_index),
        images_of_class=result.images_of_class,
        concepts=concepts,
        random=random,
    )


def _concept(result: TcavResult, params: Tcav, number: int) -> ConceptScore:
    found, chance = result.by_concept[number], result.by_chance
    p_value = None if chance is None else two_sided_p(found.scores, chance.scores)
    corrected = None if p_value is None else min(1.0, p_value * len(result.by_concept))
    return ConceptScore(
        name=params.photo_sets("concepts")[number].name,
        number=number,
        images=len(result.concept_photos[number]),
        score=float(found.scores.mean()),
        standard_deviation=float(found.scores.std()),
        scores=tuple(found.scores.tolist()),
        accuracy=float(found.accuracies.mean()),
        accuracies=tuple(found.accuracies.tolist()),
        derivative=float(found.derivatives.mean()),
        p_value=p_value,
        corrected_p_value=corrected,
        significant=None if corrected is None else corrected < LEVELS[0],
    )


def stars(corrected: float | None) -> str:
    """Return a star for each of the levels 0.05, 0.01 and 0.001 that a corrected p-value is below."""
    return "" if corrected is None else "*" * sum(corrected < level for level in LEVELS)


def _sheet(result: TcavResult, facts: TcavFacts, params: Tcav) -> UInt8[np.ndarray, "H W 3"]:
    bars = [
        ScoreBar(
            each.name,
            each.score,
            each.standard_deviation,
            each.scores,
            stars(each.corrected_p_value),
            (f"score {each.score:.2f} ± {each.standard_deviation:.2f}, {_p_text(each)}", f"accuracy {each.accuracy:.2f}"),
        )
        for each in facts.concepts
    ]
    if (random := facts.random) is not None:
        words = (f"score {random.score:.2f} ± {random.standard_deviation:.2f}", f"accuracy {random.accuracy:.2f}")
        bars.append(ScoreBar("random sets", random.score, random.standard_deviation, random.scores, "", words, grey=True))
    chart = score_bars(bars, 0.5 if random is None else random.score, "TCAV score")
    rows = [
        _row("the class", result.photos),
        *(_row(each.name, found) for each, found in zip(facts.concepts, result.concept_photos, strict=True)),
    ]
    photos = patch_sheet("", rows, SHOWN)
    width = max(chart.shape[1], photos.shape[1])
    sheet = np.concatenate([_widened(each, width) for each in (chart, photos)])
    name = f"{facts.label} ({facts.class_index})" if facts.label else f"class {facts.class_index}"
    return titled(sheet, f"{Tcav.card.title} · {result.model.description.name} · {facts.layer} · {name}") if params.annotate else sheet


def _p_text(concept: ConceptScore) -> str:
    if concept.corrected_p_value is None:
        return "p unknown"
    return "p < 0.0001" if concept.corrected_p_value < 1e-4 else f"p {concept.corrected_p_value:.4f}"


def _row(name: str, photos: Sequence[Photo]) -> PatchRow:
    shown = tuple(CaptionedPicture(f"photo {number}", each.image) for number, each in enumerate(photos[:SHOWN]))
    more = f", the first {SHOWN}" if len(photos) > SHOWN else ""
    return PatchRow(f"{name} · {len(photos)} photos{more}", shown)


def _widened(picture: UInt8[np.ndarray, "h w 3"], width: int) -> UInt8[np.ndarray, "h W 3"]:
    return np.pad(picture, ((0, 0), (0, width - picture.shape[1]), (0, 0)), constant_values=PAPER[0])


def _warnings(result: TcavResult, facts: TcavFacts) -> Iterator[str]:
    sets = len(result.by_concept[0].vectors)
    if result.by_chance is None:
        count = f"There are {sets} random sets" if sets > 1 else "There is one random set"
        yield f"{count}, so no score can be told from chance. A test needs at least 3 random sets, and 10 or more are better."
    elif flat := [each.name for each in facts.concepts if each.p_value is None]:
        yield f"Neither these concepts' scores nor the random ones vary, so there is no p-value: {', '.join(flat)}."
    if not any(each.derivatives.any() for each in result.by_concept):
        yield f"The derivatives are zero for all photos: the class's logit does not change with layer '{facts.layer}' there."
    elif unknown := [f"{each.name} ({each.accuracy:.2f})" for each in facts.concepts if each.accuracy < UNKNOWN]:
        yield f"The layer hardly tells these concepts from random photos, so their scores mean little (accuracy): {', '.join(unknown)}."
    if other := len(result.photos) - result.images_of_class:
        yield f"Class {result.class_index} is not the model's top class for {other} of the {len(result.photos)} photos."
