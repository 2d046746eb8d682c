"""Time the engine on a GPU: Grad-CAM and filters by batch size, number format, and with XLA or without.

The rows are the same as those of `make bench`. Each state of XLA has a process of its own, because TensorFlow reads it when it starts. With
TF32, GPUs of NVIDIA round the factors of float32 products to 10 bits. On a device that has no TF32 it changes nothing.

Example:
    python -m benchmarks.gpu --device CPU:0 --models mobilenet_v2 --batches 1 --filters 0 --calls 1
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.work import FILTERS_LAYER, FILTERS_SIDE, FILTERS_STEPS, LAYERS
from benchmarks.this_machine import RESULTS, this_machine

_ROOT = Path(__file__).parents[1]
_FORMATS = ("float32", "TF32", "bfloat16")
_NO_PHOTO = np.empty((0, 1, 1, 3), np.float32)
_XLA_FLAGS = "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit"


@dataclass(frozen=True)
class EngineRow:
    """The median milliseconds of one image, or of one channel of `filters`."""

    work: str
    model: str
    batch: int
    format: str
    xla: bool
    milliseconds: float


def main() -> None:
    arguments = _parser().parse_args()
    if arguments.xla:
        json.dump(_measure(arguments), sys.stdout)
        return
    rows: list[EngineRow] = []
    device = arguments.device
    for xla in ("off", "on"):
        flags = {"TF_XLA_FLAGS": f"{os.environ.get('TF_XLA_FLAGS', '')} {_XLA_FLAGS}"} if xla == "on" else {}
        command = [sys.executable, "-m", "benchmarks.gpu", *sys.argv[1:], "--xla", xla]
        environment = {**os.environ, **flags}
        ended = subprocess.run(command, cwd=_ROOT, env=environment, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603
        if ended.returncode:
            raise SystemExit(ended.returncode)
        measured = json.loads(ended.stdout)
        device = measured["device"]
        rows += [EngineRow(**row) for row in measured["rows"]]
    print(_write(rows, device, arguments.out))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", default="GPU:0", help="the device, such as GPU:0 or CPU:0")
    parser.add_argument("--models", nargs="+", choices=list(LAYERS), default=list(LAYERS), help="the models for Grad-CAM")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 64], help="the numbers of photos of one call")
    parser.add_argument("--filters", type=int, nargs="+", default=[8, 64], help="the numbers of channels to synthesise; 0 leaves them out")
    parser.add_argument("--formats", nargs="+", choices=_FORMATS, default=_FORMATS, help="the number formats")
    parser.add_argument("--calls", type=int, default=20, help="the number of calls that count")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the folder of the table")
    parser.add_argument("--xla", choices=("on", "off"), help=argparse.SUPPRESS)
    return parser


def _measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the name of the device and the rows in one state of XLA."""
    import tensorflow as tf

    from catalog.catalog import load_catalog
    from schemas.errors import InvalidParameters
    from workers.engine.devices import use_device
    from workers.models.pool import ModelPool

    try:
        device = use_device(arguments.device)
    except InvalidParameters as error:
        raise SystemExit(f"{error} `--device CPU:0` times the processor.") from None
    rows: list[EngineRow] = []
    with tempfile.TemporaryDirectory() as folder:
        models_file = Path(folder) / "models.toml"
        models_file.write_text("".join(f'[{model}]\nweights = "random"\n' for model in LAYERS), "utf-8")
        pool = ModelPool(load_catalog(models_file, Path(folder)), 16 * 2**30)
        for number_format in arguments.formats:
            tf.config.experimental.enable_tensor_float_32_execution(number_format == "TF32")
            precision = "bfloat16" if number_format == "bfloat16" else "float32"
            for work, model, batch, call in _calls(pool, arguments, precision):
                seconds = _seconds(call, arguments.calls)
                rows.append(EngineRow(work, model, batch, number_format, arguments.xla == "on", round(1000 * seconds / batch, 3)))
    name = f"{device.name}, {device.description}" if device.description else device.name
    return {"device": name, "rows": [asdict(row) for row in rows]}


def _calls(pool: Any, arguments: argparse.Namespace, precision: str) -> Generator[tuple[str, str, int, Callable[[], object]]]:
    from schemas.limits import MethodLimits
    from schemas.methods.cam.grad_cam import GradCam
    from schemas.methods.synthesis.filters import Filters
    from workers.contract.inputs import Inputs
    from workers.methods.cam import grad_cam
    from workers.methods.synthesis import filters

    limits = MethodLimits()
    for model in arguments.models:
        loaded = pool.get(model)
        job = GradCam.model_validate({"layer": LAYERS[model], "precision": precision}).resolve(loaded.published, limits)
        for batch in arguments.batches:
            pictures = np.random.default_rng(0).integers(0, 256, (batch, 224, 224, 3), dtype=np.uint8)
            inputs = Inputs(np.stack([loaded.prepare(picture)[0] for picture in pictures]))
            yield "Grad-CAM", model, batch, partial(grad_cam.run, loaded.probe, inputs, [job] * batch)
    for count in filter(None, arguments.filters):
        loaded = pool.get("vgg16")
        given = {"preset": "keras_io", "layer": FILTERS_LAYER, "channels": tuple(range(count)), "precision": precision}
        params = Filters.model_validate({**given, "size": FILTERS_SIDE, "steps": FILTERS_STEPS}).resolve(loaded.published, limits)
        yield "filters", "vgg16", count, partial(_all_slices, filters.run, loaded.probe, Inputs(_NO_PHOTO), params)


def _all_slices(run: Callable[..., Generator[object, None, object]], *given: object) -> None:
    for _ in run(*given):
        pass


def _seconds(call: Callable[[], object], calls: int) -> float:
    """Return the median time of a call, after one that compiles."""
    spent: list[float] = []
    for turn in range(calls + 1):
        began = time.perf_counter()
        call()
        if turn:
            spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def _write(rows: Sequence[EngineRow], device: str, folder: Path) -> str:
    """Write the rows to `gpu.json` and `gpu.md`, and return the Markdown."""
    machine = this_machine()
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    formats = list(dict.fromkeys(row.format for row in rows))
    states = [f"{number_format}, XLA {xla}" for number_format in formats for xla in ("off", "on")]
    lines = [
        f"Median milliseconds for an image, or for a channel of `filters`, on {device}. {machine.processor}, {versions}; {machine.at}.",
        "",
        f"| work | model | images or channels per call | {' | '.join(states)} |",
        "|---|---|---|" + "---|" * len(states),
    ]
    found = {(row.work, row.model, row.batch, row.format, row.xla): row.milliseconds for row in rows}
    for head in dict.fromkeys((row.work, row.model, row.batch) for row in rows):
        times = [f"{found[*head, one, xla]:.2f}" for one in formats for xla in (False, True)]
        lines.append(f"| {head[0]} | {head[1]} | {head[2]} | {' | '.join(times)} |")
    text = "\n".join(lines) + "\n"
    folder.mkdir(exist_ok=True)
    content = {**asdict(machine), "device": device, "rows": [asdict(row) for row in rows]}
    (folder / "gpu.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    (folder / "gpu.md").write_text(text, "utf-8")
    return text


if __name__ == "__main__":
    main()
