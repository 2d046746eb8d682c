from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from schemas.errors import InvalidParameters, NoGradient, NonFinite, OutOfMemory, UnknownClass, UnknownLayer
from tests.workers.engine.support import probe_of, relative_difference, zoo_probe
from tests.zoo import CLASSES, HEAD, TARGET_LAYER, ZOO, photo_batch, seeded
from workers.engine.domain_errors import as_domain_errors, check_finite
from workers.engine.graph import Graph

CLASSIFIERS = sorted(name for name, head in HEAD.items() if head != "none" and name != "two_inputs")
HALF = ("mixed_float16", "mixed_bfloat16")


def tops(n: int) -> np.ndarray:
    return np.full(n, -1, np.int32)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_batch_gives_what_its_examples_give_alone(name: str) -> None:
    probe = zoo_probe(name)
    x, layer = photo_batch(probe.graph.model, 5), TARGET_LAYER[name]
    together = probe.gradients(x, layer, tops(5))
    alone = [probe.gradients(example[None], layer, tops(1)) for example in x]
    for attribute in ("activations", "gradients", "logits", "probabilities"):
        singles = np.concatenate([getattr(found, attribute) for found in alone])
        # In half precision a sum in another order may round to the next number.
        tolerance = {"mixed_float16": 2**-10, "mixed_bfloat16": 2**-7}.get(name, 1e-5)
        assert relative_difference(getattr(together, attribute), singles) <= tolerance, attribute
    np.testing.assert_array_equal(together.class_indices, together.logits.argmax(1))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_forward_gives_the_models_own_activations_and_output(name: str) -> None:
    model = ZOO[name]()
    x = photo_batch(model, 2)
    probe = probe_of(model)
    found = probe.forward(x, [TARGET_LAYER[name]], scores=True)
    expected = Graph(model).run(x, [TARGET_LAYER[name]])[TARGET_LAYER[name]]
    output = keras.tree.flatten(model(x, training=False))[0]
    if HEAD[name] == "binary":
        output = np.concatenate([1 - output, output], axis=1)
    # In half precision a fused convolution rounds once, and the eager one here rounds after each of its parts.
    assert relative_difference(found.activations[TARGET_LAYER[name]], tf.cast(expected, tf.float32)) < (1e-2 if name in HALF else 1e-5)
    assert relative_difference(found.logits if HEAD[name] == "logits" else found.probabilities, output) < (1e-2 if name in HALF else 1e-5)
    assert found.probabilities.dtype == found.logits.dtype == np.float32
    alone = probe.forward(x, [TARGET_LAYER[name]])
    assert alone.logits is None
    assert alone.probabilities is None


@pytest.mark.parametrize(("name", "path"), [("functional", "predictions"), ("softmax_layer", "softmax"), ("nested_head", "head")])
def test_a_tapped_head_keeps_its_activation_when_logits_are_asked_for_too(name: str, path: str) -> None:
    probe = zoo_probe(name)
    x = photo_batch(probe.graph.model, 2)
    found = probe.forward(x, ["base/conv1" if name == "nested_head" else "conv1", path], scores=True)
    np.testing.assert_allclose(found.activations[path], probe.graph.model(x), atol=1e-6)
    np.testing.assert_allclose(found.probabilities, probe.graph.model(x), atol=1e-6)
    with pytest.raises(NoGradient, match=f"not computed from layer '{path}'"):
        probe.gradients(x, path, tops(2))


def test_one_trace_for_all_classes_and_batch_sizes() -> None:
    probe = zoo_probe("binary")
    for n in (1, 4, 2, 7):
        for answer in (1, 0):
            probe.gradients(photo_batch(probe.graph.model, n), "conv2", np.full(n, answer, np.int32))
    assert probe.traces == 1
    probe.gradients(photo_batch(probe.graph.model, 1), "conv1", tops(1))
    assert probe.traces == 2
    for order in (["conv1", "conv2"], ["conv2", "conv1"], ["conv1", "conv2", "conv1"]):
        found = probe.forward(photo_batch(probe.graph.model, 3), order)
        assert set(found.activations) == {"conv1", "conv2"}
    assert probe.traces == 3
    many = zoo_probe("functional")
    for index in range(CLASSES):
        found = many.gradients(photo_batch(many.graph.model, 2), "conv2", np.array([index, -1], np.int32))
        assert found.class_indices[0] == index
    assert many.traces == 1


def test_one_trace_for_all_input_sizes() -> None:
    probe = zoo_probe("any_size")
    model = probe.graph.model
    for size in ((13, 9), (20, 31), (8, 8)):
        x = photo_batch(model, 2, size=size)
        found = probe.gradients(x, "conv2", tops(2))
        assert found.activations.shape[1:3] == (size[0] // 2 - 2, size[1] - 1)
        assert relative_difference(found.probabilities, model(x)) < 1e-5
    assert probe.traces == 1


def test_two_threads_share_a_probe() -> None:
    probe = zoo_probe("batch_norm")
    x = photo_batch(probe.graph.model, 2)
    targets = ["relu2", "relu1", "relu2", "add", "relu6", "relu1", "conv2", "relu2"]
    alone = {target: zoo_probe("batch_norm").gradients(x, target, tops(2)).gradients for target in set(targets)}
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda target: probe.gradients(x, target, tops(2)).gradients, targets))
    for target, gradients in zip(targets, found, strict=True):
        assert relative_difference(gradients, alone[target]) < 1e-5
    assert probe.traces == len(set(targets))


def test_a_dense_layer_can_be_the_target() -> None:
    probe = zoo_probe("functional")
    found = probe.gradients(photo_batch(probe.graph.model, 2), "hidden", np.array([1, 4], np.int32))
    kernel = probe.graph.model.get_layer("predictions").kernel.numpy()
    np.testing.assert_allclose(found.gradients, kernel[:, [1, 4]].T, rtol=1e-6)


def test_wrong_parameters_are_refused_with_what_is_allowed() -> None:
    probe = zoo_probe("functional")
    x = photo_batch(probe.graph.model, 2)
    with pytest.raises(InvalidParameters, match=r"takes inputs \(N, 13, 9, 3\), got \(2, 9, 13, 3\)"):
        probe.forward(x.transpose(0, 2, 1, 3))
    with pytest.raises(InvalidParameters, match=r"takes inputs \(N, any, any, 3\), got \(2, 13, 9, 1\)"):
        zoo_probe("any_size").gradients(x[..., :1], "conv2", tops(2))
    with pytest.raises(InvalidParameters, match="one of float32, bfloat16; got 'float8'"):
        probe.forward(x, precision="float8")
    with pytest.raises(InvalidParameters, match="one class index for each of the 2 examples"):
        probe.gradients(x, "conv2", tops(3))
    for index in (5, -2):
        with pytest.raises(UnknownClass, match=f"5 classes: 0 to 4, or -1 for the top class; got {index}"):
            probe.gradients(x, "conv2", np.array([0, index], np.int32))
    for unknown in (lambda: probe.forward(x, ["conv3"]), lambda: probe.gradients(x, "conv3", tops(2))):
        with pytest.raises(UnknownLayer, match="no layer 'conv3'"):
            unknown()
    assert probe.traces == 0


def test_an_input_too_small_for_the_layers_is_the_callers_mistake() -> None:
    probe = zoo_probe("any_size")
    with pytest.raises(InvalidParameters, match="cannot process an input of 2 × 9"):
        probe.forward(photo_batch(probe.graph.model, 1, size=(2, 9)), ["conv2"])


def test_other_inputs_than_the_image_are_zeros() -> None:
    probe = zoo_probe("two_inputs")
    x = photo_batch(probe.graph.model, 2)
    expected = probe.graph.model([x, np.zeros((2, 4), "float32")])
    np.testing.assert_allclose(probe.forward(x, scores=True).probabilities, expected, atol=1e-6)
    found = probe.gradients(x, "conv2", tops(2))
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    assert found.gradients.any()


def with_operation(operation) -> keras.Model:
    photo = keras.Input((5, 4, 2), name="photo")
    x = layers.Conv2D(3, 2, name="conv")(photo)
    x = layers.Activation(operation, name="middle")(x)
    return seeded(keras.Model(photo, layers.Dense(2, name="scores")(layers.Flatten(name="flat")(x))))


def test_a_missing_gradient_names_the_layer_that_stops_it() -> None:
    for operation in (keras.ops.stop_gradient, lambda x: keras.ops.cast(keras.ops.cast(x, "int32"), "float32")):
        probe = probe_of(with_operation(operation))
        x = photo_batch(probe.graph.model, 1)
        with pytest.raises(NoGradient, match=r"reaches layer 'conv': 'middle' \(Activation\), between the two, is not differentiable"):
            probe.gradients(x, "conv", tops(1))
        assert probe.gradients(x, "middle", tops(1)).gradients.any()
    probe = zoo_probe("two_outputs")
    with pytest.raises(NoGradient, match="not computed from layer 'branch'"):
        probe.gradients(photo_batch(probe.graph.model, 1), "branch", tops(1))
    probe = zoo_probe("no_classes")
    with pytest.raises(NoGradient, match="no class output"):
        probe.gradients(photo_batch(probe.graph.model, 1), "conv2", tops(1))


def test_values_that_are_not_finite_are_named() -> None:
    probe = probe_of(with_operation(keras.ops.sqrt))
    x = photo_batch(probe.graph.model, 3)
    with pytest.raises(NonFinite, match="logits are not finite in float32"):
        probe.gradients(x, "conv", tops(3))
    probe = zoo_probe("mixed_float16")
    x = photo_batch(probe.graph.model, 2)
    x[1] *= 1e5  # float16 ends at 65,504
    with pytest.raises(NonFinite, match=r"activations of layer 'conv2' are not finite in float32 \(examples 1 of 2\)"):
        probe.forward(x, ["conv2"])


def test_a_finite_sum_that_overflows_is_finite() -> None:
    check_finite("here", {"logits": np.full((2, 4), 3e38, "float32"), "none": None})
    with pytest.raises(NonFinite, match=r"examples 0, 2 of 3"):
        check_finite("here", {"logits": np.array([[np.nan], [1], [np.inf]], "float32")})
    with pytest.raises(NonFinite, match=r"^The logits are not finite here\.$"):
        check_finite("here", {"logits": np.array([[1, np.nan]], "float32")})


def test_out_of_memory_says_what_did_not_fit() -> None:
    with (
        pytest.raises(OutOfMemory, match="no memory for a batch of 64 inputs of 224 × 224 × 3"),
        as_domain_errors((64, 224, 224, 3), tf.TensorShape((None,) * 4)),
    ):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")


def test_an_invalid_operation_in_a_model_of_fixed_size_is_not_the_callers_mistake() -> None:
    fixed = tf.TensorShape((None, 13, 9, 3))
    with pytest.raises(tf.errors.InvalidArgumentError), as_domain_errors((1, 13, 9, 3), fixed):
        raise tf.errors.InvalidArgumentError(None, None, "broken model")
