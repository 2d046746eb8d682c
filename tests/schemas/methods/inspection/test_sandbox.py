from __future__ import annotations

import pytest
from pydantic import ValidationError

from schemas.limits import MethodLimits
from schemas.methods.inspection.sandbox import SANDBOX_PRESETS, Sandbox

STAGES = [{"conv": {"filters": 3, "kernel": 10}}, {"relu": {}}, {"average_pool": {"size": 5}}]


def test_a_preset_is_its_stages() -> None:
    resolved = Sandbox(preset="lenet_3_1").resolve_alone(MethodLimits())
    assert resolved.model_dump()["stages"] == (
        {"conv": {"filters": 3, "kernel": 3}},
        {"relu": {}},
        {"max_pool": {"size": 3}},
        {"conv": {"filters": 1, "kernel": 3}},
        {"relu": {}},
        {"max_pool": {"size": 2}},
    )
    assert resolved.resolve_alone(MethodLimits()) == resolved
    assert Sandbox().resolve_alone(MethodLimits()).stages == SANDBOX_PRESETS["conv_3x3"]


def test_stages_of_ones_own_stay_as_they_are() -> None:
    given = Sandbox.model_validate({"stages": STAGES})
    assert [next(iter(stage)) for stage in given.model_dump()["stages"]] == ["conv", "relu", "average_pool"]
    assert given.resolve_alone(MethodLimits()) == given


@pytest.mark.parametrize(
    "wrong",
    [
        {"preset": "relu", "stages": STAGES},
        {"stages": []},
        {"stages": [{"relu": {}}] * 13},
        {"stages": [{"conv": {"filters": 17}}]},
        {"stages": [{"conv": {"kernel": 32}}]},
        {"stages": [{"max_pool": {"size": 1}}]},
        {"stages": [{"max_pool": {"size": 33}}]},
        {"stages": [{"conv": {}, "relu": {}}]},
        {"stages": [{"relu": {"size": 3}}]},
        {"seed": -1},
    ],
)
def test_what_is_out_of_bounds_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Sandbox.model_validate(wrong)
