"""Each contract test runs for every model and every method that it asks for."""

from __future__ import annotations

import pytest

from catalog.catalog import load_catalog
from schemas.methods import METHODS
from tests.contract.cases import MODELS
from tests.contract.model_kinds import KINDS
from tests.workers.models import custom_layers
from workers.models.limits import ModelLimits
from workers.models.pool import LoadedModel, ModelPool

SLOW = ("nested", "any_size", "grey", "two_outputs", "binary")  # these kinds are left to the slow tests


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in MODELS])
def model_name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=list(METHODS))
def method(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> ModelPool:
    """Return every kind of model that a file can hold, read from files as workers read them."""
    folder = tmp_path_factory.mktemp("models")
    for name, kind in KINDS.items():
        kind.make(folder)
        (folder / f"{name}.toml").write_text('preprocessing = "tf"\n')
    limits = ModelLimits(custom_objects=(*custom_layers.VIT, *custom_layers.CONVNEXT))
    return ModelPool(load_catalog(folder / "models.toml", folder), 10**12, limits=limits)


@pytest.fixture(params=list(KINDS))
def model(request: pytest.FixtureRequest, pool: ModelPool) -> LoadedModel:
    return pool.get(request.param)
