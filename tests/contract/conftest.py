"""Each contract test runs for every model and every method that it asks for."""

from __future__ import annotations

import pytest

from schemas.methods import METHODS
from tests.contract.cases import MODELS

SLOW = ("nested", "grey", "two_outputs", "binary")  # these kinds are left to the slow tests


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in MODELS])
def model_name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=list(METHODS))
def method(request: pytest.FixtureRequest) -> str:
    return request.param
