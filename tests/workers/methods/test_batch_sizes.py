"""The number of inputs that one pass of the model takes."""

from __future__ import annotations

import pytest

from schemas.models import Layer, LayerKind, ReceptiveField
from tests.workers.methods.support import published
from workers.methods.batch_sizes import batch_size, batches


def layer(shape: tuple[int | None, ...], parameters: int, stride: int = 1) -> Layer:
    return Layer(
        path=f"layer_{parameters}",
        type="Conv2D",
        kind=LayerKind.CONV,
        output_shape=shape,
        parameters=parameters,
        channels=shape[-1],
        receptive_field=ReceptiveField(size=(3, 3), stride=(stride, stride)),
        inbound=(),
        cam_able=True,
    )


@pytest.mark.parametrize(
    ("layers", "rows"),
    [
        # 224²·300,000 = 15.05e9 products take 84 ms (VGG16) and 2·224²·64 values take 2.1 ms, so a pass takes one input
        ([layer((224, 224, 64), 200_000), layer((224, 224, 64), 100_000)], 1),
        # 56²·30,000 = 94e6 products take 0.52 ms and 56²·64 values take 0.07 ms; more than 64 inputs would fit
        ([layer((56, 56, 64), 30_000)], 64),
        # 112²·60,000 products take 4.181 ms, 112²·32 values 0.134 ms, and a dense layer 0.006 ms: 150 / 4.321 = 34.7
        ([layer((112, 112, 32), 60_000), layer((1000,), 1_000_000)], 34),
        # a nested model counts by its own layers
        ([layer((112, 112, 32), 10**9).model_copy(update={"kind": LayerKind.MODEL}), layer((224, 224, 64), 300_000)], 1),
        ([layer((112, 112, 32), 10**9).model_copy(update={"kind": LayerKind.MODEL}), layer((56, 56, 64), 30_000)], 64),
        # an open side counts as 224 divided by the layer's stride
        ([layer((None, 112, 32), 60_000, stride=2), layer((1000,), 1_000_000)], 34),
    ],
)
def test_the_batch_size_follows_from_the_model(layers: list[Layer], rows: int) -> None:
    model = published().description.model_copy(update={"layers": tuple(layers)})
    assert batch_size(model, (224, 224)) == rows


def test_batches_cover_every_input_once() -> None:
    model = published().description
    assert list(batches(model, (4, 6), 130)) == [slice(0, 64), slice(64, 128), slice(128, 130)]
