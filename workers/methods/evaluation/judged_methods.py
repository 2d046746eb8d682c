"""This holds what `rank_methods` has found about one method: its measures for each photo, and its cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.methods.evaluation.measures import MeasureName
from schemas.methods.evaluation.rank_methods import CandidateMethod
from schemas.methods.facts import Prediction
from workers.methods.evaluation.active_time import ActiveTime
from workers.methods.evaluation.counting_probe import Passes
from workers.methods.evaluation.measure_map import MeasureResult


@dataclass(frozen=True)
class JudgedPhoto:
    """The class that a map explains, and the measures of the map."""

    explained: Prediction
    measures: Mapping[MeasureName, MeasureResult]


@dataclass(frozen=True)
class JudgedMethod:
    """A method, the name of the model, the method's measures for each photo, and what its maps and its measures cost."""

    candidate: CandidateMethod
    model: str
    photos: list[JudgedPhoto] = field(default_factory=list[JudgedPhoto])
    map_passes: Passes = field(default_factory=Passes)
    measure_passes: Passes = field(default_factory=Passes)
    map_time: ActiveTime = field(default_factory=ActiveTime)
    measure_time: ActiveTime = field(default_factory=ActiveTime)
