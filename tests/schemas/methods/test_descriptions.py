"""Every parameter and every fact of a method is described to callers in sentences."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from schemas.methods import METHODS


def undescribed(model: type[BaseModel]) -> list[str]:
    """Return the fields, nested ones too, whose description is missing or does not end as a sentence does."""
    schema = model.model_json_schema()
    owners = {"": schema, **schema.get("$defs", {})}
    return [
        f"{owner}.{name}"
        for owner, definition in owners.items()
        for name, field in definition.get("properties", {}).items()
        if not field.get("description", "").endswith(".") or len(field["description"].split()) < 4
    ]


@pytest.mark.parametrize("method", METHODS)
def test_every_parameter_is_described_in_sentences(method: str) -> None:
    assert not undescribed(METHODS[method])


@pytest.mark.parametrize("method", METHODS)
def test_every_fact_is_described_in_sentences(method: str) -> None:
    assert not undescribed(METHODS[method].card.facts)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_summarised_in_sentences(method: str) -> None:
    assert METHODS[method].card.summary.endswith(".")
