"""A job that names another photo beside its own: both are brought to the model's input."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
from PIL import Image

from tests.workers.execution.bench import PipelineBench, array
from tests.workers.jobs import OWNER, resolved
from tests.workers.tiny import photo
from workers.models.preprocessing import prepare


async def test_a_swap_of_a_whole_layer_gives_the_answer_of_the_other_photo(bench: PipelineBench) -> None:
    published = await bench.published()
    other = (await bench.store.images.put(OWNER, photo(2, 40, 60), "PNG", 60, 40)).id
    asked = resolved("intervene", published, photo(1), layer="stem", later="relu", action="swap", other_image=other)
    (execution,) = await bench.claim(dataclasses.replace(asked, image_ids=(other,)))
    result = await bench.pipeline.run(execution, lambda _: None)
    model = await bench.pipeline.models.get("tiny")
    tensors = [
        prepare(np.asarray(Image.open(io.BytesIO(content))), published.description.preprocessing, (24, 20), 3)[0]
        for content in (photo(1), photo(2, 40, 60))
    ]
    found = model.probe.forward(np.stack(tensors), ["relu"], scores=True)
    np.testing.assert_allclose(array(result, "probabilities"), found.probabilities, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(array(result, "later.before"), found.activations["relu"][0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(array(result, "later.after"), found.activations["relu"][1], rtol=1e-4, atol=1e-5)
