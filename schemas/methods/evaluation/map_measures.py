"""The parameters of `map_measures`, which measures how faithful, stable, concentrated and well placed the map of a method is."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.evaluation.judged_map import JudgedMapParams
from schemas.methods.evaluation.map_measures_facts import MapMeasuresFacts
from schemas.methods.evaluation.measures import MEASURES_COST, MEASURES_REFERENCE, MeasureName, MeasuresParams
from schemas.methods.perturbation.base import Score, check_masks
from schemas.methods.targets import BoxRegion, MaskRegion
from schemas.models import PublishedModel


class MapMeasures(MeasuresParams, JudgedMapParams):
    """The measures of the literature for one map of any attribution method."""

    card: ClassVar[MethodCard] = MethodCard(
        name="map_measures",
        title="Measures of a map",
        summary=(
            "This measures a map: whether the model goes by what it marks (ROAD, infidelity, deletion, insertion), how stable it is "
            "(max-sensitivity), how concentrated it is (sparseness, complexity), whether it depends on the class (random logit), and "
            "whether it lies on the object (pointing game, relevance mass and rank)."
        ),
        reference=MEASURES_REFERENCE,
        formula=(
            "ROAD: (mean score without the least relevant pixels − mean score without the most relevant ones) / 2, filled by noisy linear "
            "imputation; infidelity: E[(β·Σ of the map in a removed square − fall of the score)²]; max-sensitivity: max ‖Φ(x+δ) − Φ(x)‖ / "
            "‖Φ(x)‖; sparseness: Gini index of |Φ|; complexity: entropy of |Φ| / Σ|Φ|; random logit: Spearman's ρ with maps of other "
            "classes; relevance mass: share of Σ max(Φ, 0) in the region; relevance rank: share of the K strongest pixels in a region of K"
        ),
        cost=f"One run of the attribution method, and the measures: {MEASURES_COST}",
        how_to_read=(
            "Each row is a measure, and says which way is better. The curves show the score while the most relevant pixels are removed "
            "(MoRF) and while the least relevant are removed (LeRF): a good map has MoRF far below LeRF. Compare the numbers of two "
            "methods for the same photo, class and parameters; alone they say little."
        ),
        when_it_misleads=(
            "A concentrated map is not a true one: sparseness and complexity only say how much of it there is to look at. A constant map "
            "has the best max-sensitivity. The model may go by what lies beside the object, and a map that shows this truly has a "
            "low relevance mass. Removed pixels are filled from their neighbours, so objects with plain surroundings vanish better. "
            "The pointing game has no tolerance: the strongest pixel itself must lie in the region. Zhang et al. also count a hit within "
            "15 pixels of the region, so their numbers are higher."
        ),
        needs_image=True,
        lane="slow",
        artifacts=(
            ArtifactSpec("chart", "image", "This shows the value of each measure, and the curves of road if it is measured.", primary=True),
            ArtifactSpec("overlay", "image", "This is the measured map on the image, as its own method draws it."),
            ArtifactSpec("map", "array", "This is the measured map, unscaled (h, w) float32."),
            ArtifactSpec(
                "road",
                "array",
                "This is (3, 9) float32: the share of pixels that are removed, and the score at MoRF and at LeRF. A job has it if it "
                "measures road.",
                optional=True,
            ),
        ),
        facts=MapMeasuresFacts,
        example={"attribution": "grad_cam", "class_index": None, "perturbations": 32, "disturbances": 3},
        forward_only=True,
    )

    measures: tuple[MeasureName, ...] = Field(
        default=("road", "infidelity", "max_sensitivity", "sparseness", "complexity"),
        min_length=1,
        description=(
            "The map is measured with these. pointing_game, relevance_mass and relevance_rank need `region`, and random_logit needs a "
            f"class as target. {MEASURES_COST}"
        ),
    )
    region: BoxRegion | MaskRegion | None = Field(
        default=None,
        description=(
            "This is where the object lies: a `box` (top, left, height, width) in pixels of the photo, or a `mask`, the id of an uploaded "
            "image of the photo's size. A form takes it as JSON."
        ),
        examples=[{"box": [40, 60, 120, 90]}],
    )
    score: Score = Field(
        default="probability", description="This score of the class is watched: its probability as in the papers, or its logit."
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> MapMeasures:
        resolved = super().resolve(model, limits)
        self.check_regions(given=self.region is not None, pointer="/params/region")
        classes = model.description.head_at(self.output).class_count
        self.check_other_classes(resolved.other_target is not None, classes)
        attribution = resolved.resolved_attribution(model, limits)
        passes = resolved.passes(attribution, model.description, None if classes is None else classes - 1)
        check_masks(passes, limits, "/params/measures", " This counts the maps and all measures.")
        return resolved.changed(options=resolved.completed_options(attribution))
