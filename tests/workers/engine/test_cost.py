"""The number of inputs that one pass of the model takes."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.models import Layer, LayerKind, ReceptiveField
from tests.workers.engine.ascent.support import lively
from tests.workers.engine.support import published
from workers.engine import probe as probe_module
from workers.engine.attention_sizes import AttentionSize
from workers.engine.cost import PassCost, pass_cost
from workers.engine.device_speed import DeviceSpeed
from workers.engine.probe import KerasProbe
from workers.methods.batch_sizes import batches
from workers.models.description.describe_layers import describe_layers

TWO_CORES = DeviceSpeed(1.0, 1.0)


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
        # 112²·60,000 products take 4.181 ms, 112²·32 values 0.134 ms, the input 0.017 ms, a dense layer 0.006 ms: 100 / 4.338 = 23.05
        ([layer((112, 112, 32), 60_000), layer((1000,), 1_000_000)], 23),
        # a nested model counts by its own layers
        ([layer((112, 112, 32), 10**9).model_copy(update={"kind": LayerKind.MODEL}), layer((112, 112, 32), 60_000)], 23),
        # an open side counts as 224 divided by the layer's stride
        ([layer((None, 112, 32), 60_000, stride=2), layer((1000,), 1_000_000)], 23),
        # the fewest and the most
        ([layer((224, 224, 64), 10**9)], 1),
        ([layer((7, 7, 8), 100)], 256),
    ],
)
def test_a_pass_takes_as_many_inputs_as_a_tenth_of_a_second_allows(layers: list[Layer], rows: int) -> None:
    assert pass_cost(layers, (224, 224)).inputs(TWO_CORES, gradient=False) == rows


def test_a_gradient_costs_three_forward_passes() -> None:
    cost = pass_cost([layer((112, 112, 32), 60_000), layer((1000,), 1_000_000)], (224, 224))
    assert cost.inputs(TWO_CORES, gradient=True) == 7


def test_attention_matrices_cost_more_than_all_else_where_there_are_many_tokens() -> None:
    """2 · 512² values are 0.52e6 and take 0.175 ms, and 200 products for each are 105e6 and take 0.583 ms: 100 / 0.758 = 131.9."""
    tokens = layer((512, 16), 1_000)
    assert pass_cost([tokens], (64, 64)).inputs(TWO_CORES, gradient=False) == 256
    cost = pass_cost([tokens], (64, 64), [AttentionSize(2 * 512**2, 2 * 512**2 * 200)])
    assert cost.inputs(TWO_CORES, gradient=False) == 131
    # 4 bytes · 3 · 2 · 512² values are 6 MiB, so that 170 fit in 1 GiB
    assert cost.inputs(DeviceSpeed(1e6, 1e6), gradient=False) == 170


def test_a_faster_device_takes_more_inputs_and_a_slower_one_fewer() -> None:
    cost = PassCost(products=1_800_000_000, values=3_000_000, largest=1000)  # 10 ms and 1 ms
    assert cost.inputs(TWO_CORES, gradient=False) == 9
    assert cost.inputs(DeviceSpeed(16.0, 4.0), gradient=False) == 114  # 0.625 ms and 0.25 ms
    assert cost.inputs(DeviceSpeed(0.25, 1.0), gradient=False) == 2  # 40 ms and 1 ms
    assert cost.inputs(DeviceSpeed(4096.0, 4096.0), gradient=False) == 256


def test_the_activations_fit_in_memory_however_fast_the_device_is() -> None:
    fast = DeviceSpeed(1e6, 1e6)
    # 4 bytes · 3 · 2²² values are 48 MiB an input, so that 21 fit in 1 GiB; 4 bytes · 2²⁶ values of all layers are 256 MiB: 16 in 4 GiB
    cost = PassCost(products=1, values=2**26, largest=2**22)
    assert (cost.inputs(fast, gradient=False), cost.inputs(fast, gradient=True)) == (21, 16)
    huge = PassCost(products=1, values=2**31, largest=2**30)
    assert (huge.inputs(fast, gradient=False), huge.inputs(fast, gradient=True)) == (1, 1)


def test_the_probe_asks_for_its_own_layers_and_its_own_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """`lively` applies 168 weights at 40·30 positions, 296 at 20·30 behind a pooling of 2 × 1, and 45 once."""
    model = lively()
    described = published(model)
    probe = KerasProbe(model, described)
    layers = tuple(describe_layers(probe.graph))
    described = described.model_copy(update={"description": described.description.model_copy(update={"layers": layers})})
    cost = pass_cost(layers, (40, 30))
    assert (cost.products, cost.largest) == (168 * 1200 + 296 * 600 + 45, 40 * 30 * 6)
    slow = DeviceSpeed(4.0**-4, 4.0**-4)
    monkeypatch.setattr(probe_module, "device_speed", lambda: slow)
    probe = KerasProbe(model, described)
    assert probe.inputs_per_pass((40, 30)) == cost.inputs(slow, gradient=False) < 256
    assert probe.inputs_per_pass((40, 30), gradient=True) == cost.inputs(slow, gradient=True) < probe.inputs_per_pass((40, 30))
    assert [batch.stop for batch in batches(probe, (40, 30), 1000)][-1] == 1000


def test_the_number_of_inputs_in_a_pass_does_not_change_results() -> None:
    probe = KerasProbe(lively(), published(lively()))
    tensor = np.random.default_rng(2).uniform(-1, 1, (37, 12, 10, 3)).astype(np.float32)
    whole = probe.forward(tensor, scores=True).logits
    for rows in (1, 5, 16):
        parts = [probe.forward(tensor[start : start + rows], scores=True).logits for start in range(0, 37, rows)]
        np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-5, atol=1e-6)
