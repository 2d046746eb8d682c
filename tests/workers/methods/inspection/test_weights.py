from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
import pytest

from rendering import kernels
from rendering.channel_grid import channel_grid
from rendering.charts.values import values_by_index
from rendering.titles import titled_sheet
from schemas.limits import MethodLimits
from schemas.methods.inspection.weights import Weights, WeightsFacts
from schemas.models import LayerKind
from tests.contract.cases import zoo_model
from tests.drawn import drawn
from tests.schemas.tiny import layer
from tests.zoo import ZOO
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.methods.inspection import weights
from workers.methods.inspection.weights import LayerWeights, as_kernels, chosen_filters

NOTHING = Inputs(np.zeros((0, 1, 1, 3), np.float32))
RNG = np.random.default_rng(0)


def shown(
    result: Mapping[str, object], kind: LayerKind = LayerKind.CONV, of: str = "Conv2D", *, bgr: bool = False, **params: object
) -> Output:
    float32 = {name: np.asarray(array, np.float32) for name, array in result.items()}
    filters = next(iter(float32.values())).shape[-1]
    described = layer("base/it", kind, (5, 7, filters), ()).model_copy(update={"type": of})
    return weights.draw(
        LayerWeights(described, float32, bgr), None, Weights.model_validate({"layer": "base/it", "annotate": False, **params})
    )


def picture(output: Output, name: str = "grid") -> np.ndarray:
    (found,) = (artifact.image for artifact in drawn(output).artifacts if isinstance(artifact, Picture) and artifact.name == name)
    return found


def arrays(output: Output) -> dict[str, np.ndarray]:
    return {artifact.name: artifact.array for artifact in output.artifacts if isinstance(artifact, Array)}


def facts(output: Output) -> WeightsFacts:
    assert isinstance(output.facts, WeightsFacts)
    return output.facts


TITLE = 21
SIDE = 64  # pixels of a tile of 2 × 2 weights if there is room


def test_every_kernel_that_reads_three_inputs_is_a_tile_in_colour() -> None:
    kernel = np.zeros((2, 2, 3, 3))
    kernel[0, 0, :, 1] = 2, -2, 0
    output = shown({"kernel": kernel, "bias": np.ones(3)})
    made = picture(output)[TITLE:]
    gap = SIDE + 1
    assert (made[: SIDE // 2, gap : gap + SIDE // 2] == (255, 0, 128)).all()
    assert (made[SIDE // 2 : SIDE, gap : gap + SIDE] == 128).all()
    assert (made[:SIDE, :SIDE] == 128).all()
    assert (made[:, SIDE] == 255).all()  # one pixel between tiles
    assert (made[gap : gap + SIDE, :SIDE] == 128).all()
    assert (made[gap:, gap:] == 255).all()  # ⌈√3⌉ = 2 tiles in a row leave one place empty
    np.testing.assert_array_equal(arrays(output)["kernel"], kernel)
    assert list(arrays(output)) == ["kernel", "bias"]


def test_a_model_that_takes_blue_first_is_shown_in_true_colours() -> None:
    kernel = RNG.normal(size=(2, 2, 3, 4))
    np.testing.assert_array_equal(picture(shown({"kernel": kernel}, bgr=True)), picture(shown({"kernel": kernel[:, :, ::-1]})))
    assert (picture(shown({"kernel": kernel}, bgr=True)) != picture(shown({"kernel": kernel}))).any()


def test_other_kernels_are_drawn_by_input_filter_after_filter() -> None:
    kernel = np.zeros((2, 2, 2, 3))
    kernel[0, 1] = [[0, 1, 2], [3, 4, 5]]  # [input, filter]
    made = picture(shown({"kernel": kernel}, columns=2))[TITLE:, :, 0]
    corner = made[5 :: SIDE + 1, SIDE - 5 :: SIDE + 1][:3, :2]  # the upper right weight of each tile
    np.testing.assert_array_equal(corner, np.rint(np.array([[0, 3], [1, 4], [2, 5]]) * 51))


def test_chosen_filters_and_inputs_are_scaled_over_the_whole_layer_and_captioned() -> None:
    kernel = np.zeros((2, 2, 2, 3))
    kernel[0, 1] = [[0, 1, 2], [3, 4, 5]]
    output = shown({"kernel": kernel}, filters=[2, 0], inputs=1)
    made = picture(output)[TITLE:, :, 0]
    assert (made[:16, :SIDE] < 100).any()  # the caption
    assert made[16 + 5, SIDE - 5] == 2 * 51
    assert made[16 + 5, 2 * SIDE - 5] == 0
    assert made.shape[0] == 16 + SIDE
    np.testing.assert_array_equal(arrays(output)["kernel"], kernel)


@pytest.mark.parametrize(("wanted", "expected"), [(None, [0, 1, 2, 3]), (2, [0, 1]), (9, [0, 1, 2, 3]), ((3, 1), [3, 1])])
def test_which_filters(wanted: int | tuple[int, ...] | None, expected: list[int]) -> None:
    assert chosen_filters(wanted, 4).tolist() == expected


def test_axes_of_every_kind_of_convolution() -> None:
    plain = RNG.normal(size=(3, 2, 4, 5)).astype(np.float32)
    assert as_kernels("kernel", "Conv2D", plain) is plain
    transposed = as_kernels("kernel", "Conv2DTranspose", plain)
    np.testing.assert_array_equal(transposed[..., 1, 3], plain[..., 3, 1])
    depthwise = as_kernels("kernel", "DepthwiseConv2D", plain)
    assert depthwise.shape == (3, 2, 1, 20)
    np.testing.assert_array_equal(depthwise[:, :, 0, 3 * 5 + 2], plain[:, :, 3, 2])
    assert as_kernels("depthwise_kernel", "SeparableConv2D", plain).shape == (3, 2, 1, 20)
    time = RNG.normal(size=(3, 4, 5)).astype(np.float32)
    np.testing.assert_array_equal(as_kernels("kernel", "Conv1D", time)[0], time)
    deep = RNG.normal(size=(2, 3, 5, 4, 6)).astype(np.float32)
    np.testing.assert_array_equal(as_kernels("kernel", "Conv3D", deep)[:, :, 1 * 4 + 3, 2], deep[1, :, :, 3, 2])


def test_depthwise_channels_are_keras_output_channels() -> None:
    """The tile with an index is the kernel that computes the channel of that index."""
    layer_ = keras.layers.DepthwiseConv2D((3, 2), depth_multiplier=2, use_bias=False)
    photo = RNG.normal(size=(1, 3, 2, 4)).astype(np.float32)
    answer = np.asarray(layer_(photo).numpy())[0, 0, 0]
    tiles = as_kernels("kernel", "DepthwiseConv2D", layer_.get_weights()[0])
    np.testing.assert_allclose([(tiles[:, :, 0, k] * photo[0, :, :, k // 2]).sum() for k in range(8)], answer, rtol=1e-4, atol=1e-6)


def test_kernels_of_one_position_and_dense_layers_are_matrices() -> None:
    matrix = RNG.normal(size=(4, 6)).astype(np.float32)
    expected = kernels.matrix(matrix, "viridis")
    for name, array, kind, of in (
        ("kernel", matrix[None, None], LayerKind.CONV, "Conv2D"),
        ("kernel", matrix, LayerKind.DENSE, "Dense"),
        ("query/kernel", matrix.reshape(4, 2, 3), LayerKind.ATTENTION, "MultiHeadAttention"),
    ):
        output = shown({name: array}, kind, of, colormap="viridis")
        np.testing.assert_array_equal(picture(output)[TITLE:, : expected.shape[1]], expected)
        assert list(arrays(output)) == [name.replace("/", ".")]


def test_a_separable_convolution_shows_both_its_kernels() -> None:
    given = {"depthwise_kernel": RNG.normal(size=(3, 2, 4, 1)), "pointwise_kernel": RNG.normal(size=(1, 1, 4, 6)), "bias": np.zeros(6)}
    filters = {"layer": "base/it", "filters": (5, 0), "annotate": False}
    described = layer("base/it", LayerKind.CONV, (5, 7, 6), ()).model_copy(update={"type": "SeparableConv2D"})
    float32 = {name: array.astype(np.float32) for name, array in given.items()}
    output = weights.draw(LayerWeights(described, float32, bgr=False), None, Weights.model_validate(filters))
    depthwise = kernels.enlarged(float32["depthwise_kernel"][..., 0], 4, None)
    pictures = [channel_grid(depthwise, mode="global", colours="gray"), kernels.matrix(float32["pointwise_kernel"][0, 0], "gray")]
    titles = ["base/it · depthwise_kernel 3 × 2 × 4 × 1", "base/it · pointwise_kernel 1 × 1 × 4 × 6"]
    np.testing.assert_array_equal(picture(output), titled_sheet(pictures, titles))


def test_batch_norm_is_plotted() -> None:
    given = {"gamma": np.array([1.0, -2.0, 0.5]), "moving_variance": np.array([0.0, 4.0, 1.0])}
    output = shown(given, LayerKind.NORMALIZATION, "BatchNormalization")
    plots = [values_by_index(array.astype(np.float32), "Value of each, by index") for array in given.values()]
    expected = titled_sheet(plots, ["base/it · gamma 3", "base/it · moving_variance 3"])
    np.testing.assert_array_equal(picture(output), expected)
    assert picture(output, "histogram").shape == (2 * 240, 900, 3)


def test_statistics_by_hand() -> None:
    (found,) = facts(shown({"kernel": [[1, -3], [0, 4]]}, LayerKind.DENSE, "Dense")).weights
    assert (found.name, found.shape, found.min, found.max) == ("kernel", (2, 2), -3, 4)
    assert found.mean == pytest.approx(0.5)
    assert found.std == pytest.approx((0.25 + 12.25 + 0.25 + 12.25) ** 0.5 / 2)
    assert found.zeros == 0.25


def test_what_is_not_finite_is_said_and_counted_as_0() -> None:
    output = shown({"kernel": [[np.nan, -3], [np.inf, 4]], "bias": [1, 2]}, LayerKind.DENSE, "Dense")
    assert output.warnings == ("'kernel': 2 of 4 values are not finite. They are drawn and counted as 0.",)
    found = facts(output).weights[0]
    assert (found.min, found.max, found.zeros) == (-3, 4, 0.5)
    assert np.isnan(arrays(output)["kernel"][0, 0])


def test_no_contrast_is_said() -> None:
    output = shown({"kernel": np.full((3, 3, 2, 2), 0.25)})
    assert output.warnings == ("'kernel': all values are 0.25, so there is no contrast to draw.",)
    assert (picture(output)[TITLE : TITLE + SIDE - 1, : SIDE - 1] == 0).all()


def test_more_tiles_than_can_be_told_apart_are_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "MAX_TILES", 10)
    kernel = RNG.normal(size=(3, 3, 4, 5))
    output = shown({"kernel": kernel}, columns=4)
    assert output.warnings == ("'kernel': the first 8 of 20 kernels are drawn. The array has every value.",)
    two = picture(shown({"kernel": kernel}, filters=2, columns=4))
    np.testing.assert_array_equal(picture(output), two)
    assert shown({"kernel": RNG.normal(size=(3, 3, 20, 1))}).warnings == (
        "'kernel': the first 10 of 20 kernels are drawn. The array has every value.",
    )


def test_a_reduced_matrix_is_said() -> None:
    output = shown({"kernel": RNG.normal(size=(1100, 2))}, LayerKind.DENSE, "Dense")
    assert output.warnings == ("'kernel': a matrix of 1,100 × 2 is drawn averaged. The array has every value.",)


def test_a_real_models_layers() -> None:
    """Every layer of the batch norm model that has weights can be drawn, and its arrays are Keras's own."""
    probe, published = zoo_model("batch_norm")
    keras_model = ZOO["batch_norm"]()
    tried = [each for each in published.description.layers if each.parameters]
    assert len(tried) > 15
    for each in tried:
        params = Weights(layer=each.path).resolve(published, MethodLimits())
        (result,) = weights.run(probe, NOTHING, [params])
        output = weights.draw(result, None, params)
        own = keras_model.get_layer(each.path).get_weights()
        for array, expected in zip(arrays(output).values(), own, strict=True):
            np.testing.assert_array_equal(array, expected)


def test_one_reading_serves_all_that_ask_for_the_layer() -> None:
    probe, _ = zoo_model("nested")
    params = [Weights(layer="base/conv1"), Weights(layer="base/conv1", colormap="jet")]
    assert weights.batch_key(params[0]) == weights.batch_key(params[1])
    first, second = weights.run(probe, NOTHING, params)
    assert first is second
