"""Each contract test runs for every model and every method that it asks for."""

from __future__ import annotations

import pytest

from schemas.methods import METHODS
from tests.contract.cases import MODELS


@pytest.fixture(params=MODELS)
def model_name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=list(METHODS))
def method(request: pytest.FixtureRequest) -> str:
    return request.param
