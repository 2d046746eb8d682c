"""Find out what the values of a model's outputs are: logits, probabilities or their logarithms.

The last layer does not always say it: the mean of two softmaxes, `[1 - p, p]` and `log_softmax` end in no softmax. For such outputs the
model runs on a few images, and what the outputs do decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.errors import VisualizationError
from schemas.models import HeadKind, InputSpec, Preprocessing
from workers.contract.arrays import Float32
from workers.engine.activation_guard import ActivationGuard
from workers.engine.evaluation import evaluate
from workers.engine.graph import Graph
from workers.engine.heads import activation_kind
from workers.engine.model_inputs import inputs_with
from workers.engine.topology import GraphStep, TensorRef

# Each of these passes on values, chooses among them or takes their mean, so that probabilities stay probabilities.
_KEEPS_PROBABILITIES = frozenset(
    {"Activation", "Average", "Cast", "Concatenate", "Cropping1D", "Cropping2D", "Dropout", "ExpandDims", "Flatten", "GetItem"}
    | {"GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "Identity", "Max", "Maximum", "Mean"}
    | {"Min", "Minimum", "Moveaxis", "Multiply", "Permute", "Ravel", "Reshape", "Split", "Squeeze", "Stack", "Subtract", "Swapaxes", "Take"}
    | {"Transpose", "UpSampling2D"}
)
# Rounding in bfloat16 changes each value by at most 0.2 %, and in float16 by less.
_ROUNDING = 5e-3
FREE_SIZES = (64, 224)  # tried one after the other where the model takes any size
_FEWEST_IMAGES = 2


def head_kinds(graph: Graph, image_input: InputSpec, preprocessing: Preprocessing, guard: ActivationGuard) -> dict[str, HeadKind]:
    """Return the kind of each output's head, by the output's name.

    A final softmax or sigmoid is recognised by its layer. Any other output is `probabilities` if its values are never negative and sum to
    1 for every test image, `log_probabilities` if the exponentials of its values sum to 1, and else `logits`. It is also `probabilities`
    (or `binary`, if it is a single value) if its values are parts or means of the results of softmaxes and sigmoids. An output (N, n) whose
    values have the Euclidean length 1 for every test image, unless they are all zero, is an `embedding`. A single value (N, 1) that is no
    probability is a `regression` value.

    A model that cannot run on the test images, or would take more memory than `guard` allows, keeps the kinds that its layers give.
    """
    kinds: dict[str, HeadKind] = {name: graph.head_of(name).kind for name in graph.output_names}
    unknown = [name for name, kind in kinds.items() if kind == "logits" or (kind == "none" and graph.head_of(name).dense_classes)]
    possible = {name: _possible_kinds(graph, name) for name in unknown}
    kinds |= {name: "regression" for name in unknown if graph.head_of(name).classes == 1}
    return kinds | kinds_of_values(possible, _outputs_for_test_images(graph, unknown, image_input, preprocessing, guard))


def kinds_of_values(possible: Mapping[str, Sequence[str]], outputs: Iterable[Mapping[str, NDArray[np.float64]]]) -> dict[str, HeadKind]:
    """Return the kind of each output whose values decide it.

    Args:
        possible: for each output what its values may be, the likeliest first: `sum is 1`, `exponentials sum to 1`, `length is 1`, `made of
            probabilities` or `made of one probability`.
        outputs: the values (…, classes) of the outputs for one test image after the other.
    """
    images, not_zero = 0, Counter[str]()
    for values in outputs:
        images += 1
        not_zero.update(name for name in possible if values[name].any())
        possible = {name: [kind for kind in possible[name] if _fits(kind, values[name])] for name in possible}
        if not any(possible.values()):
            break
    if images < _FEWEST_IMAGES:
        return {}
    return {name: _KIND_OF_VALUES[found[0]] for name, found in possible.items() if found and not_zero[name] >= _FEWEST_IMAGES}


_KIND_OF_VALUES: Mapping[str, HeadKind] = {
    "sum is 1": "probabilities",
    "exponentials sum to 1": "log_probabilities",
    "made of probabilities": "probabilities",
    "made of one probability": "binary",
    "length is 1": "embedding",
}


def _possible_kinds(graph: Graph, name: str) -> list[str]:
    """Return what the values of an output may be, before the model has run."""
    made_of_probabilities = _is_made_of_probabilities(graph, graph.topology.output_tensor(graph.topology.output_index(name)))
    head = graph.head_of(name)
    if 1 in (head.classes, head.dense_classes):
        return ["made of one probability"] if made_of_probabilities else []
    kinds = ["sum is 1", "exponentials sum to 1", *(["made of probabilities"] if made_of_probabilities else [])]
    return [*kinds, *(["length is 1"] if head.classes else [])]


def _fits(kind: str, values: NDArray[np.float64]) -> bool:
    """Return whether the values (…, classes) of an output are what `kind` says."""
    if kind == "exponentials sum to 1":
        return bool(values.max() <= _ROUNDING and abs(np.exp(values).sum(axis=-1) - 1).max() <= _ROUNDING)
    if kind == "length is 1":
        return not values.any() or bool(abs(np.linalg.norm(values) - 1) <= _ROUNDING)
    if values.min() < 0:
        return False
    return bool(abs(values.sum(axis=-1) - 1).max() <= _ROUNDING) if kind == "sum is 1" else bool(values.max() <= 1 + _ROUNDING)


def _is_made_of_probabilities(graph: Graph, tensor: TensorRef) -> bool:
    """Return whether a tensor is computed from the results of softmaxes and sigmoids, by steps that keep probabilities."""
    step = graph.topology.writer_of(tensor)
    if step is None:
        return False
    if step.kind != "call":
        return len(step.reads) == len(step.writes) and _is_made_of_probabilities(graph, step.reads[step.writes.index(tensor)])
    if activation_kind(step, any_axis=True) is not None:
        return True
    return bool(step.reads) and _keeps_probabilities(step) and all(_is_made_of_probabilities(graph, source) for source in step.reads)


def _keeps_probabilities(step: GraphStep) -> bool:
    operation = step.operation
    if isinstance(operation, keras.layers.Activation):
        return operation.activation is keras.activations.linear
    name = type(operation).__name__
    return name in _KEEPS_PROBABILITIES and (name != "Subtract" or len(step.reads) == 1)  # 1 - p, but not p - q


def _outputs_for_test_images(
    graph: Graph, names: list[str], image_input: InputSpec, preprocessing: Preprocessing, guard: ActivationGuard
) -> Iterator[dict[str, NDArray[np.float64]]]:
    """Yield the values (…, classes) of the named outputs for one test image after the other, unless some are NaN or ∞."""
    refs = {name: graph.topology.output_tensor(graph.topology.output_index(name)) for name in names}
    for size in FREE_SIZES if names else ():
        try:
            allowed = image_input.free_side(size)
            guard.check((1, image_input.height or allowed, image_input.width or allowed))
            for image in prepared_test_images(image_input, allowed, preprocessing):
                x = tf.constant(image[None])
                values = evaluate(graph.topology, inputs_with(graph, image_input.name, x), {}, also=tuple(refs.values()))
                found = {name: np.asarray(values[scope][tensor], np.float64)[0] for name, (scope, tensor) in refs.items()}
                if all((array < np.inf).all() for array in found.values()):  # the logarithm of a probability may be -∞
                    yield found
            return
        except (tf.errors.OpError, ValueError, TypeError, VisualizationError):
            continue  # the layers cannot process an image of this size


def prepared_test_images(image_input: InputSpec, free_size: int, preprocessing: Preprocessing) -> Iterator[Float32]:
    """Yield test images as inputs (H, W, C) of a model. A side that the model leaves free has `free_size` pixels."""
    shape = (image_input.height or free_size, image_input.width or free_size, image_input.channels)
    return (_prepared(image, preprocessing) for image in _test_images(shape))


def _test_images(shape: tuple[int, int, int]) -> Iterator[Float32]:
    """Yield images (H, W, C) in 0-255: noise, a ramp, white, black, and coarse blocks. They are the same every time."""
    height, width, channels = shape
    random = np.random.default_rng(0)
    yield random.integers(0, 256, shape).astype(np.float32)
    ramp = np.linspace(0, 255, height * width, dtype=np.float32).reshape(height, width, 1)
    yield ramp * np.linspace(1, 0.2, channels, dtype=np.float32)
    yield np.full(shape, 255, np.float32)
    yield np.zeros(shape, np.float32)
    rows, columns = np.arange(height) * 4 // height, np.arange(width) * 4 // width
    yield random.integers(0, 256, (4, 4, channels)).astype(np.float32)[rows][:, columns]


def _prepared(image: Float32, preprocessing: Preprocessing) -> Float32:
    return ((image - np.asarray(preprocessing.mean, np.float32)) / np.asarray(preprocessing.std, np.float32)).astype(np.float32)
