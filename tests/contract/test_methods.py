"""The contract of every method, tried with its own example on tiny models. A new method is tried without a change here."""

from __future__ import annotations

import re

import numpy as np
import pytest

from schemas.limits import MethodLimits
from schemas.methods import METHODS
from tests.contract.cases import IMAGE_METHODS, case, is_picture, outputs_of
from workers.contract.artifacts import Array, Document, Output, Picture
from workers.execution.artifact_encoders import encode_artifact

# These artifacts show how many seconds the job took.
SHOWS_SECONDS = {"rank_methods": ("table", "ranking")}
FROM_THE_SEED = re.compile("kernel_.*")  # artifacts that are the same for every photo


def contents(output: Output) -> dict[str, bytes]:
    """Return the stored bytes of each artifact, by name."""
    return {artifact.name: encode_artifact(artifact).content for artifact in output.artifacts}


@pytest.mark.parametrize("image_method", IMAGE_METHODS)
def test_a_batch_equals_its_singles(image_method: str, model_name: str) -> None:
    tried = case(image_method, model_name)
    for (photo, tensor), together in zip(tried.photos(), outputs_of(image_method, model_name), strict=True):
        alone = tried.draw(tried.result(tensor[None], photo), photo)
        assert [artifact.name for artifact in alone.artifacts] == [artifact.name for artifact in together.artifacts]
        for one, other in zip(alone.artifacts, together.artifacts, strict=True):
            if isinstance(one, Picture) and isinstance(other, Picture):
                assert one.image.shape == other.image.shape
                difference = np.abs(one.image.astype(int) - other.image)
                assert (difference > 2).mean() < 0.01, one.name
            elif isinstance(one, Array) and isinstance(other, Array):
                scale = float(np.abs(other.array).max()) or 1.0
                np.testing.assert_allclose(one.array, other.array, rtol=1e-4, atol=1e-5 * scale, err_msg=one.name)


def test_photos_that_differ_give_results_that_differ() -> None:
    """Without this, the test that compares a batch with its singles could not fail."""
    for image_method in IMAGE_METHODS:
        first, second, third = (contents(output) for output in outputs_of(image_method, "functional"))
        for name in first:
            if not FROM_THE_SEED.fullmatch(name):
                assert len({first[name], second[name], third[name]}) == 3, (image_method, name)


def test_it_is_deterministic(method: str) -> None:
    first = [contents(output) for output in outputs_of(method, "functional")]
    second = [contents(output) for output in case(method, "functional").outputs()]
    for found in (*first, *second):
        for name in SHOWS_SECONDS.get(method, ()):
            del found[name]
        assert found
    assert first == second


def test_everything_is_finite_and_pictures_are_rgb(method: str, model_name: str) -> None:
    for output in outputs_of(method, model_name):
        for artifact in output.artifacts:
            if isinstance(artifact, Picture):
                assert is_picture(artifact.image), artifact.name
            elif isinstance(artifact, Document):
                assert artifact.text
            elif isinstance(artifact, Array):
                assert artifact.array.size > 0, artifact.name
                assert np.isfinite(artifact.array).all(), artifact.name


def test_artifacts_are_those_of_the_card(method: str, model_name: str) -> None:
    specs = METHODS[method].card.artifacts
    patterns = [re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(spec.name))) for spec in specs]
    for output in outputs_of(method, model_name):
        names = [artifact.name for artifact in output.artifacts]
        assert len(set(names)) == len(names)
        fixed = {spec.name for spec in specs if "{" not in spec.name and not spec.optional}
        assert fixed <= set(names)
        for artifact in output.artifacts:
            exact = [spec for spec in specs if spec.name == artifact.name]
            (spec,) = exact or [spec for spec, pattern in zip(specs, patterns, strict=True) if pattern.fullmatch(artifact.name)]
            assert spec.kind == artifact.kind
            assert spec.media_type == artifact.document_type
            assert spec.primary == artifact.is_primary


def test_facts_are_those_of_the_card_and_survive_json(method: str, model_name: str) -> None:
    card = METHODS[method].card
    for output in outputs_of(method, model_name):
        assert type(output.facts) is card.facts
        assert card.facts.model_validate_json(output.facts.model_dump_json()) == output.facts


def test_resolved_parameters_survive_json_and_resolve_to_themselves(method: str, model_name: str) -> None:
    tried = case(method, model_name)
    assert type(tried.params).model_validate_json(tried.params.model_dump_json()) == tried.params
    assert tried.params.resolve(tried.published, MethodLimits()) == tried.params
    if tried.method.lane == "fast":
        hash(tried.method.batch_key(tried.params))
