"""Which devices there are, and how TensorFlow is told to use one: before its first operation, never after."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from schemas.errors import InvalidParameters


@dataclass(frozen=True)
class Device:
    """`name` is what the worker's settings and metrics call it: `CPU:0`, `GPU:0`, `GPU:1`…; `description` is TensorFlow's for a GPU."""

    name: str
    kind: str
    description: str = ""


def devices() -> tuple[Device, ...]:
    """GPUs first, then the CPU. Does not start TensorFlow's runtime."""
    found = [(device, "GPU") for device in tf.config.list_physical_devices("GPU")]
    found += [(device, "CPU") for device in tf.config.list_physical_devices("CPU")]
    return tuple(Device(_name(device), kind, _description(device, kind)) for device, kind in found)


def use_device(name: str, intra_op_threads: int | None = None) -> Device:
    """Binds this process to one device: no other is visible, and a GPU's memory is taken as it is needed, not all at once.

    `intra_op_threads`: threads that one operation may use on the CPU; None leaves it to TensorFlow (all cores).

    Raises:
        InvalidParameters: there is no such device.
        RuntimeError: TensorFlow has already started in this process (TensorFlow's own message).
    """
    known = {device.name: device for device in devices()}
    if name not in known:
        raise InvalidParameters(f"There is no device '{name}' here, only {', '.join(known)}.", allowed=", ".join(known), got=name)
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
