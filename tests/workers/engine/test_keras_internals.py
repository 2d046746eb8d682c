"""Every internal of Keras that `keras_internals` uses still does what the engine and the loading of models need.

When a test here fails after an update of Keras, `workers/engine/keras_internals.py` is the only file to adapt.
"""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.workers.engine.support import diamond, moved
from workers.engine import keras_internals
from workers.engine.layer_copies import copy_layer

ROOT = Path(__file__).parents[3]
PRIVATE_ATTRIBUTES = {
    "_keras_history",
    "_nodes_by_depth",
    "_functional",
    "_standardize_inputs",
    "_layers",
    "_dtype_policy",
    "_trainable_variables",
    "_non_trainable_variables",
    "_initializer",
    "_deferred_initialize",
    "fill_in",
}


def internals_in(source: str) -> set[str]:
    """Return what a module uses of Keras's internals: names below `keras.src`, and private attributes of other objects than `self`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("keras.src"):
            found.add(node.module or "")
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name.startswith("keras.src"))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("keras.src."):
            found.add(node.value)
        elif isinstance(node, ast.Attribute) and node.attr in PRIVATE_ATTRIBUTES and ast.unparse(node.value) != "self":
            found.add(node.attr)
    return found


def test_no_other_module_uses_internals_of_keras() -> None:
    own_tests = Path(__file__).relative_to(ROOT)
    allowed = {Path("workers/engine/keras_internals.py"), own_tests, own_tests.with_name("test_keras_internals_of_loading.py")}
    folders = ("schemas", "catalog", "processes", "telemetry", "jobstore", "service", "workers", "cli", "tests", "benchmarks")
    files = {path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.py")} - allowed
    assert len(files) > 100
    used = {str(path): found for path in files if (found := internals_in((ROOT / path).read_text()))}
    assert not used, "only workers/engine/keras_internals.py may use internals of Keras"
    assert {"_keras_history", "fill_in", "keras.src.ops.nn"} <= internals_in((ROOT / "workers/engine/keras_internals.py").read_text())


def test_a_symbolic_tensor_knows_what_made_it() -> None:
    model = diamond()
    assert keras_internals.producer_of(model.inputs[1]).name == "right", moved("KerasTensor._keras_history")
    assert isinstance(keras_internals.producer_of(model.outputs[0]), keras_internals.Relu), moved("KerasTensor._keras_history")


def test_functional_and_sequential_models_show_their_graph() -> None:
    model = diamond()
    assert type(model) is keras_internals.Functional, moved("keras.Model(inputs, outputs) makes a Functional")
    assert keras_internals.functional_graph(model) is model
    sequential = keras.Sequential([layers.Dense(2)])
    assert keras_internals.functional_graph(sequential) is None
    sequential.build((None, 3))
    inside = keras_internals.functional_graph(sequential)
    assert isinstance(inside, keras_internals.Functional), moved("Sequential._functional")
    assert [call.operation for call in keras_internals.calls_in_order(inside)] == sequential.layers, moved("Sequential._functional")
    assert keras_internals.functional_graph(layers.Dense(2)) is None

    class Overridden(keras_internals.Functional):
        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            return inputs

    assert keras_internals.functional_graph(Overridden(model.inputs, model.outputs)) is None


def test_functional_models_are_named_by_their_module() -> None:
    assert keras_internals.FUNCTIONAL_MODULE.Functional is keras_internals.Functional, moved("the module of Functional")


def test_calls_come_after_those_they_read() -> None:
    model = diamond()
    calls = list(keras_internals.calls_in_order(model))
    assert [call.operation.name for call in calls][:3] == ["shared", "shared", "joined"], moved("Function._nodes_by_depth")
    known = {id(tensor) for tensor in model.inputs}
    for call in calls:
        assert known.issuperset(id(tensor) for tensor in call.input_tensors), moved("the order of Function._nodes_by_depth")
        known.update(id(tensor) for tensor in call.outputs)
    assert known.issuperset(id(tensor) for tensor in model.outputs), moved("Node.outputs")


def test_tensors_are_filled_into_the_arguments_of_a_call() -> None:
    query, value = keras.Input((4, 2)), keras.Input((5, 2))
    output = layers.MultiHeadAttention(1, 2)(query, value=value, use_causal_mask=False)
    (call,) = keras_internals.calls_in_order(keras.Model([query, value], output))
    args, kwargs = keras_internals.call_arguments(call, {id(query): "the query", id(value): "the value"})
    assert args == ("the query",), moved("Node.arguments.fill_in")
    assert (kwargs["value"], kwargs["use_causal_mask"]) == ("the value", False), moved("Node.arguments.fill_in")


@pytest.mark.parametrize("form", ["list", "dict"])
def test_inputs_are_put_into_the_models_order(form: str) -> None:
    one, two = keras.Input((3,), name="b_one"), keras.Input((3,), name="a_two")
    total = layers.Subtract()([one, two])
    model = keras.Model([one, two] if form == "list" else {"b_one": one, "a_two": two}, total)
    x, y = tf.ones((1, 3)), tf.zeros((1, 3))
    given = [x, y] if form == "list" else {"a_two": y, "b_one": x}
    found = keras_internals.standardised_inputs(model, given)
    by_name = dict(zip([keras_internals.producer_of(tensor).name for tensor in model.inputs], found, strict=True))
    assert by_name["b_one"] is x, moved("Functional._standardize_inputs")
    assert by_name["a_two"] is y, moved("Functional._standardize_inputs")


def test_layers_list_those_that_they_hold() -> None:
    inner = layers.Dense(2)
    wrapper = layers.TimeDistributed(inner)
    assert keras_internals.inner_layers(wrapper) == [inner], moved("Layer._layers")
    assert keras_internals.inner_layers(inner) == []
    other = layers.Dense(5)
    changed = copy_layer(wrapper, **{keras_internals.INNER_LAYERS_ATTRIBUTE: [other]})
    assert list(changed._flatten_layers(include_self=False)) == [other], moved("Layer._layers")


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv1D(4, 2),
        layers.Conv2D(4, 2),
        layers.Conv3D(4, 2),
        layers.Conv2DTranspose(4, 2),
        layers.DepthwiseConv2D(2, depth_multiplier=2),
        layers.SeparableConv2D(4, 2),
        layers.Dense(4),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_layer_computes_with_the_kernel_in_its_attribute(layer: Any) -> None:
    rank = {layers.Conv1D: 3, layers.Conv3D: 5, layers.Dense: 2}.get(type(layer), 4)
    x = np.random.default_rng(0).normal(size=(2, *[4] * (rank - 2), 2)).astype("float32")
    own = np.asarray(layer(x))
    name = keras_internals.KERNEL_ATTRIBUTES[type(layer)]
    doubled = keras.Variable(2 * getattr(layer, name).value, trainable=False)
    changed = copy_layer(layer, **{name: doubled})
    np.testing.assert_allclose(changed(x), 2 * own, rtol=1e-5, err_msg=moved(f"{type(layer).__name__}.{name}"))
    np.testing.assert_array_equal(layer(x), own)


def test_every_layer_with_a_known_kernel_is_tried() -> None:
    assert len(keras_internals.KERNEL_ATTRIBUTES) == 7


def test_an_einsum_has_a_method_for_its_scale() -> None:
    assert callable(getattr(layers.EinsumDense, keras_internals.EINSUM_SCALE_METHOD, None)), moved("EinsumDense._adjust_scale_for_dequant")


def test_a_layer_computes_by_the_policy_in_its_attribute() -> None:
    layer = layers.Dense(2)
    layer.build((None, 3))
    half = copy_layer(layer, **{keras_internals.DTYPE_POLICY_ATTRIBUTE: keras.DTypePolicy("mixed_bfloat16")})
    assert half.compute_dtype == "bfloat16", moved("Layer._dtype_policy")
    assert half(tf.ones((1, 3))).dtype == tf.bfloat16, moved("Layer._dtype_policy")
    assert layer(tf.ones((1, 3))).dtype == tf.float32


def test_a_layer_lists_its_variables() -> None:
    layer = layers.BatchNormalization()
    layer.build((None, 3))
    names = [[variable.name for variable in getattr(layer, attribute)] for attribute in keras_internals.VARIABLE_LIST_ATTRIBUTES]
    assert names == [["gamma", "beta"], ["moving_mean", "moving_variance"]], moved("Layer._trainable_variables")


def convolution_layers() -> list[type]:
    classes = {found for name, found in inspect.getmembers(layers, inspect.isclass) if "Conv" in name and "LSTM" not in name}
    return sorted(classes, key=lambda found: found.__name__)


def test_every_convolution_has_one_of_the_bases() -> None:
    assert len(convolution_layers()) >= 9
    for found in convolution_layers():
        assert issubclass(found, keras_internals.CONVOLUTION_BASES), moved(f"the base class of {found.__name__}")


@pytest.mark.parametrize("class_", [layers.Conv2D, layers.Conv2DTranspose, layers.DepthwiseConv2D, layers.SeparableConv2D])
def test_the_activation_is_the_last_thing_a_convolution_does(class_: Any) -> None:
    layer = class_(kernel_size=2, **({} if class_ is layers.DepthwiseConv2D else {"filters": 3}))
    x = np.random.default_rng(0).normal(size=(1, 4, 5, 2)).astype("float32")
    linear = layer(x)
    np.testing.assert_array_equal(copy_layer(layer, activation=tf.nn.relu)(x), tf.nn.relu(linear), err_msg=moved(class_.__name__))


@pytest.mark.parametrize(
    ("function", "operation"),
    [
        (keras.ops.softmax, keras_internals.Softmax),
        (keras.ops.sigmoid, keras_internals.Sigmoid),
        (keras.ops.relu, keras_internals.Relu),
        (keras.ops.relu6, keras_internals.Relu6),
        (lambda x: keras.ops.cast(x, "float16"), keras_internals.CastOperation),
    ],
)
def test_functions_put_their_operation_into_the_graph(function: Any, operation: type) -> None:
    tensor = function(keras.Input((3,)))
    assert type(keras_internals.producer_of(tensor)) is operation, moved(f"the operation {operation.__name__}")


def test_the_softmax_operation_knows_its_axis() -> None:
    tensor = keras.ops.softmax(keras.Input((3, 4)), axis=1)
    assert keras_internals.producer_of(tensor).axis == 1, moved("Softmax.axis")


@pytest.mark.parametrize("name", ["_conv", "my conv", "größe"])
def test_a_name_that_tensorflow_refuses_as_a_scope_is_left_out_of_the_graph(name: str) -> None:
    layer = layers.Dense(2, name=name)
    model = keras.Sequential([keras.Input((3,)), layer])
    keras_internals.use_valid_scope_names(model)
    call = tf.function(layer.__call__, input_signature=[tf.TensorSpec((None, 3))])
    names = [operation.name for operation in call.get_concrete_function().graph.get_operations()]
    assert any(re.match(r"layer(_\d+)?/", found) for found in names), moved("Layer._open_name_scope")
    assert layer.name == name
    assert layer.kernel.path.endswith(f"{name}/kernel")


@pytest.mark.parametrize("layer", [layers.MultiHeadAttention(2, 3), layers.GroupQueryAttention(3, 4, 2)])
def test_attention_goes_through_the_softmax_and_the_methods_in_the_attributes(layer: Any) -> None:
    x = tf.random.stateless_normal((1, 5, 4), (1, 2))
    layer(x, x)
    even = {keras_internals.ATTENTION_SOFTMAX_ATTRIBUTE: lambda scores, mask=None: tf.ones_like(scores) / 5}
    plain = {keras_internals.FLASH_ATTENTION_ATTRIBUTE: False}
    output, weights = copy_layer(layer, **even, **plain)(x, x, return_attention_scores=True)
    assert np.allclose(weights, 0.2), moved("MultiHeadAttention._softmax")
    assert np.allclose(output, output[:, :1], atol=1e-6), moved("MultiHeadAttention._softmax")
    assert all(hasattr(layer, name) for name in keras_internals.ATTENTION_METHODS), moved("the methods of MultiHeadAttention")
    computed = copy_layer(layer, **{keras_internals.COMPUTE_ATTENTION: lambda query, key, value, *_, **__: (query * 0, None)})(x, x)
    assert not np.asarray(computed).any(), moved("MultiHeadAttention._compute_attention")  # the biases are zeros
