"""Every source of models has exactly one loader."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from catalog.catalog import load_catalog
from catalog.sources import MODEL_SOURCES
from schemas.models import ModelSourceName
from workers.models.loaders import MODEL_LOADERS, loaders_by_source
from workers.models.loaders.builtin import BUILT_IN_MODELS, BuiltInLoader


def test_the_contract_the_catalogue_and_the_loaders_name_the_same_sources() -> None:
    assert set(MODEL_LOADERS) == {source.name for source in MODEL_SOURCES} == set(get_args(ModelSourceName))


def test_every_built_in_model_that_is_listed_can_be_built() -> None:
    catalog = load_catalog(Path("no models.toml"), Path("no models folder"))
    assert {entry.name for entry in catalog.values() if entry.source == "builtin"} == set(BUILT_IN_MODELS)


def test_a_source_without_a_loader_is_refused() -> None:
    with pytest.raises(RuntimeError, match="have no loader in workers/models/loaders: file"):
        loaders_by_source(["builtin", "file"], [BuiltInLoader()])


def test_a_loader_without_a_source_is_refused() -> None:
    with pytest.raises(RuntimeError, match="have no source in catalog/sources: builtin"):
        loaders_by_source([], [BuiltInLoader()])


def test_two_loaders_of_one_source_are_refused() -> None:
    with pytest.raises(RuntimeError, match="'builtin' has two loaders"):
        loaders_by_source(["builtin"], [BuiltInLoader(), BuiltInLoader()])
