"""Find out what the outputs of a network are. A network has no layers that say it, so its outputs for test images decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.errors import ModelLoadFailed
from schemas.models import HeadKind, HeadSetting, InputSpec, Preprocessing
from workers.contract.arrays import Float32
from workers.engine.forward_only.network import ForwardNetwork, NetworkOutput
from workers.engine.heads import Head
from workers.engine.output_values import FREE_SIZES, kinds_of_values, prepared_test_images

_CLASSES_RANK, _DENSE_RANK = 1, 3  # (classes,) and (h, w, classes), without the batch axis
# Values of an image alone and in a batch differ by at most this share of the largest value, by rounding.
_BATCH_ROUNDING = 1e-3
# An activation of integers is exact to 1/256, and its input is rounded too.
_ACTIVATION_ROUNDING = 1e-2


def examine(network: ForwardNetwork, image: InputSpec, preprocessing: Preprocessing, setting: HeadSetting | None) -> dict[str, Head]:
    """Run the network on test images, complete what its file declares about its outputs, and return the head of each output by name.

    A final softmax over the classes or sigmoid is known from the file. Any other output is read as
    `workers.engine.output_values.head_kinds` says. `setting` is the head that the settings give to the first output.

    If the network does not treat the images of a batch one by one, it is given one image at a time from then on. This happens if the file
    fixes the number of images inside its graph, or normalises over the batch.

    Raises:
        ModelLoadFailed: the network cannot be run, or the settings give a head and the first output has no classes.
    """
    images, outputs = _run_test_images(network, image, preprocessing)
    free_size = image.height is None or image.width is None
    network.outputs = tuple(_completed(output, outputs[0][output.name], free_size=free_size) for output in network.outputs)
    network.outputs = tuple(
        output if _activation_is_last(network, output, images, outputs) else replace(output, activation=None) for output in network.outputs
    )
    _check_batches(network, images)
    known: dict[str, HeadKind] = {output.name: output.activation for output in network.outputs if output.activation}
    possible = {output.name: _possible_kinds(output) for output in network.outputs if output.name not in known}
    kinds = known | kinds_of_values(possible, ({name: each[0].astype(np.float64) for name, each in found.items()} for found in outputs))
    first = network.outputs[0]
    if setting is not None:
        if _classes(first) is None:
            raise ModelLoadFailed(f"The settings give the head '{setting}', but the output '{first.name}' has no classes.")
        kinds[first.name] = setting
        network.outputs = (replace(first, activation=None), *network.outputs[1:])
    return {output.name: _head(output, kinds.get(output.name)) for output in network.outputs}


def _run_test_images(
    network: ForwardNetwork, image: InputSpec, preprocessing: Preprocessing
) -> tuple[list[Float32], list[Mapping[str, Float32]]]:
    """Return the test images and the outputs (1, …) for each. Where the sizes are free, the first size that can be processed is used."""
    names = [output.name for output in network.outputs]
    error: Exception | None = None
    for size in FREE_SIZES:
        images = list(prepared_test_images(image, image.free_side(size), preprocessing))
        try:
            found = [network.run(each[None], [(name, False) for name in names]) for each in images]
        except Exception as cause:  # the runtimes raise errors of many classes
            error = cause
        else:
            return images, [dict(zip(names, each, strict=True)) for each in found]
    raise ModelLoadFailed(f"The model cannot be run: {' '.join(str(error).split())[:500]}") from error


def _completed(output: NetworkOutput, values: Float32, *, free_size: bool) -> NetworkOutput:
    """Return the output with the axes of its values (1, …). If the image has a `free_size`, sizes that are not declared stay free."""
    declared = {size for size in output.shape if size is not None}
    last = len(values.shape) - 2
    shape = tuple(None if free_size and axis != last and size not in declared else size for axis, size in enumerate(values.shape[1:]))
    return replace(output, shape=shape)


def _activation_is_last(
    network: ForwardNetwork, output: NetworkOutput, images: Sequence[Float32], outputs: Sequence[Mapping[str, Float32]]
) -> bool:
    """Return whether the output is the activation of the values before it, and a softmax goes over the classes."""
    if output.activation is None or _classes(output) is None:
        return False
    function = tf.nn.softmax if output.activation == "softmax" else tf.nn.sigmoid
    for image, found in zip(images, outputs, strict=True):
        (before,) = network.run(image[None], [(output.name, True)])
        after = found[output.name]
        if before.shape != after.shape or not np.allclose(function(tf.constant(before)).numpy(), after, rtol=0, atol=_ACTIVATION_ROUNDING):
            return False
    return True


def _check_batches(network: ForwardNetwork, images: Sequence[Float32]) -> None:
    """Let the network get one image at a time if two images together do not give what each of them gives."""
    if network.batch is not None:
        return
    asked = [(output.name, False) for output in network.outputs]
    alone = [network.run(image[None], asked) for image in images[:2]]
    try:
        together = network.run(np.stack(images[:2]), asked)
    except Exception:  # the runtimes raise errors of many classes
        network.batch = 1
        return
    rows = zip(alone, range(2), strict=True)
    if not all(_equal(values[0], batched[row]) for own, row in rows for values, batched in zip(own, together, strict=True)):
        network.batch = 1


def _equal(first: NDArray[np.float32], second: NDArray[np.float32]) -> bool:
    tolerance = _BATCH_ROUNDING * max(float(np.abs(first).max(initial=0)), 1e-6)
    return first.shape == second.shape and np.allclose(first, second, rtol=0, atol=tolerance, equal_nan=True)


def _possible_kinds(output: NetworkOutput) -> list[str]:
    """Return what the values of an output may be, before the network has run."""
    if _classes(output) in (None, 1):
        return []
    return ["sum is 1", "exponentials sum to 1", *(["length is 1"] if len(output.shape) == _CLASSES_RANK else [])]


def _classes(output: NetworkOutput) -> int | None:
    """Return the size of the axis of the classes, or None if the output has no such axis."""
    return output.shape[-1] if len(output.shape) in (_CLASSES_RANK, _DENSE_RANK) else None


def _head(output: NetworkOutput, kind: HeadKind | None) -> Head:
    classes, dense = _classes(output), len(output.shape) == _DENSE_RANK
    if kind is None and classes == 1 and not dense:
        kind = "regression"
    if classes is None or kind in ("embedding", "regression"):
        return Head(kind or "none", None)
    if classes == 1 and kind in ("sigmoid", "probabilities"):
        kind, classes = "binary", 2
    if kind is None:
        kind = "none" if dense else "logits"  # a dense output without an activation may be a map of features
    gives_probabilities = kind == "probabilities" or (kind == "binary" and output.activation is None)
    return Head(kind, None if dense else classes, None, gives_probabilities, dense_classes=classes if dense else None)
