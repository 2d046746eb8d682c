"""Jobs that run two models: bytes go in, and both models see the photos in their own way."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobstore.records import Result
from schemas.errors import ModelChanged, UnknownModel
from schemas.limits import MethodLimits
from schemas.methods.sets.compare_models import CompareModels
from tests.workers.execution.bench import PipelineBench, array
from tests.workers.jobs import OWNER, submission
from tests.workers.tiny import photo, save_model
from workers.models.preprocessing import prepare


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models of the same classes: `other` has the preprocessing of caffe, and crops."""
    folder = tmp_path_factory.mktemp("models")
    save_model(folder, "other")
    (folder / "other.toml").write_text('default_layer = "stem"\n[preprocessing]\nmode = "caffe"\nfit = "crop"\n')
    return save_model(folder)


@pytest.fixture
async def images(bench: PipelineBench) -> tuple[str, ...]:
    contents = [photo(1), photo(2, 40, 60)]
    return tuple([(await bench.store.images.put(OWNER, each, "PNG", 45, 31)).id for each in contents])


async def run(bench: PipelineBench, images: tuple[str, ...], **further: str) -> Result:
    published = [(await bench.pipeline.models.load(name)).published for name in ("tiny", "other")]
    asked = CompareModels.model_validate({"images": images, "models": ["other"]}).resolve(published[0], MethodLimits())
    asked = asked.resolve_further(published[1:], MethodLimits())
    sent = submission(method="compare_models", model="tiny", lane="slow", params=asked.model_dump_json(), model_digest=published[0].digest)
    digests = {"other": published[1].digest, **further}
    (execution,) = await bench.claim(dataclasses.replace(sent, image=None, image_ids=images, further_models=digests, fresh=True))
    assert execution.further_models == digests
    return await bench.pipeline.run(execution, lambda _: None)


@pytest.mark.slow
async def test_both_models_see_the_photos_in_their_own_way(bench: PipelineBench, images: tuple[str, ...]) -> None:
    result = await run(bench, images)
    models = [await bench.pipeline.models.get(name) for name in ("tiny", "other")]
    facts = json.loads(result.facts)
    for number, content in enumerate((photo(1), photo(2, 40, 60))):
        for model, answer in zip(models, facts["images"][number]["answers"], strict=True):
            tensor, _ = prepare(np.asarray(Image.open(io.BytesIO(content))), model.published.description.preprocessing, (24, 20), 3)
            probabilities = model.probe.forward(tensor[None], scores=True).probabilities
            assert probabilities is not None
            assert answer["top"]["class_index"] == probabilities[0].argmax()
            assert answer["top"]["probability"] == pytest.approx(probabilities[0].max(), rel=1e-4)
    assert array(result, "map.tiny.0").shape == (9, 7)
    assert array(result, "map.other.1").shape == (11, 9)
    assert result.provenance.model_fingerprint == models[0].published.description.fingerprint
    assert result.provenance.further_models == {"other": models[1].published.description.fingerprint}
    assert any("have no labels, so their classes are taken to be the same" in warning for warning in result.warnings)


async def test_another_version_of_a_further_model_is_refused(bench: PipelineBench, images: tuple[str, ...]) -> None:
    with pytest.raises(ModelChanged, match="model 'other'"):
        await run(bench, images, other="0123456789abcdef")


async def test_a_further_model_that_is_gone_is_named(bench: PipelineBench, images: tuple[str, ...]) -> None:
    published = (await bench.pipeline.models.load("tiny")).published
    params = json.dumps({"images": images, "models": ["lost"]})
    sent = submission(method="compare_models", model="tiny", lane="slow", params=params, model_digest=published.digest)
    (execution,) = await bench.claim(dataclasses.replace(sent, image=None, image_ids=images, fresh=True))
    with pytest.raises(UnknownModel, match="lost"):
        await bench.pipeline.run(execution, lambda _: None)
