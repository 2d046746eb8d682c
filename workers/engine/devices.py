"""The devices of this machine, and binding the process to one of them before TensorFlow runs its first operation."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from schemas.errors import InvalidParameters


@dataclass(frozen=True)
class ComputeDevice:
    """`name` is used by the worker's settings and metrics: `CPU:0`, `GPU:0`, `GPU:1`…

    `kind` is `CPU` or `GPU`; `description` is TensorFlow's name of a GPU model and empty for the CPU.
    """

    name: str
    kind: str
    description: str = ""


def list_devices() -> tuple[ComputeDevice, ...]:
    """Return the GPUs and then the CPU. This does not start TensorFlow's runtime."""
    found = [(device, "GPU") for device in tf.config.list_physical_devices("GPU")]
    found += [(device, "CPU") for device in tf.config.list_physical_devices("CPU")]
    return tuple(ComputeDevice(_name(device), kind, _description(device, kind)) for device, kind in found)


def use_device(name: str, intra_op_threads: int | None = None) -> ComputeDevice:
    """Bind this process to one device and return it. No other device is visible, and GPU memory is allocated as it is needed.

    Args:
        name: the device, such as `GPU:0`.
        intra_op_threads: how many threads one operation may use on the CPU; None lets TensorFlow use all cores.

    Raises:
        InvalidParameters: there is no such device.
        RuntimeError: TensorFlow has already started in this process; the message is TensorFlow's own.
    """
    known = {device.name: device for device in list_devices()}
    if name not in known:
        allowed = ", ".join(known)
        raise InvalidParameters(f"There is no device '{name}' here, only {allowed}.", allowed=allowed, got=name)
    if intra_op_threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(intra_op_threads)
    gpus = [gpu for gpu in tf.config.list_physical_devices("GPU") if _name(gpu) == name]
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    tf.config.set_visible_devices(gpus, "GPU")
    return known[name]


def _name(device: tf.config.PhysicalDevice) -> str:
    return device.name.removeprefix("/physical_device:")


def _description(device: tf.config.PhysicalDevice, kind: str) -> str:
    return str(tf.config.experimental.get_device_details(device).get("device_name", "")) if kind == "GPU" else ""
