"""`convscope demo`: four methods on a photo, asked for as any caller would."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue
from rich.console import Console

from cli.client import Client
from cli.demo_output import FinishedJob, print_report, write_artifacts, write_contact_sheet
from cli.demo_progress import DemoProgress
from cli.failure import CommandFailed
from cli.listening import listen
from cli.stack import DrainSeconds, Stack
from cli.time_limit import time_limit
from schemas.methods import METHODS
from schemas.models import LayerKind, ModelDescription

_READY_WITHIN = 300.0  # seconds, as is what follows
_JOB_WITHIN = 300
_DRAINS = DrainSeconds(service=5.0, workers=10.0)  # nothing is left to finish when the demo ends
_CHANNELS = 64  # drawn of each layer
_FILTERS = 16


def demo(image: Path, out: Path, model: str) -> None:
    """Starts all of convscope on a free loopback port, runs the jobs, writes pictures, arrays and a contact sheet to `out`.

    Raises:
        CommandFailed: with the problem's words, when anything does not succeed.
    """
    console = Console()
    logs = out / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    console.print(f"Starting Redis, the service and a worker (their logs: {logs}/)")
    with (
        tempfile.TemporaryDirectory(prefix="convscope-demo-") as data_dir,
        Stack(listen("127.0.0.1", 0, insecure=False), Path(data_dir), _DRAINS, log_dir=logs) as stack,
    ):
        if not stack.wait_ready(_READY_WITHIN):
            raise CommandFailed("The command was interrupted.")
        start = time.monotonic() - began
        console.print(f"Ready on {stack.url} after {start:.1f} s")
        with stack.interrupts.raising(), Client(stack.url) as client:
            finished = _run_jobs(client, console, image, model)
    for one in finished:
        write_artifacts(one, out / one.job.method)
    sheet = write_contact_sheet(f"What {model} sees in {image.name}", finished, out)
    print_report(console, finished, start, time.monotonic() - began)
    console.print(f"Pictures and arrays: {out}/   all pictures on one sheet: {sheet}", soft_wrap=True)


def _run_jobs(client: Client, console: Console, image: Path, model: str) -> list[FinishedJob]:
    uploaded = client.upload(image.name, image.read_bytes())
    finished: list[FinishedJob] = []
    with DemoProgress(console) as progress:
        for method, params in _submissions(client.model(model)).items():
            began = time.monotonic()
            card = METHODS[method].card
            with time_limit(_JOB_WITHIN, card.title), progress.job(card.title) as on_progress:
                submitted = client.submit(method, model, params, uploaded.id if card.needs_image else None)
                job = client.follow(submitted, on_progress)
                content = {artifact.name: client.artifact(artifact) for artifact in job.artifacts}
            finished.append(FinishedJob(job, content, time.monotonic() - began))
    return finished


def _submissions(model: ModelDescription) -> dict[str, Mapping[str, JsonValue]]:
    """Parameters by method: activations from an early, a middle and the last layer, filters of a middle convolution."""
    spatial = [layer for layer in model.layers if layer.cam_able and layer.kind in (LayerKind.CONV, LayerKind.ACTIVATION)]
    # A convolution, not what follows its ReLU: there a channel that is silent at the start has no gradient to rise by.
    convolutions = [layer.path for layer in spatial if layer.type == "Conv2D" and (layer.channels or 0) >= _FILTERS]
    if not convolutions or model.default_layer is None:
        raise CommandFailed(f"model '{model.name}' has no convolutions of {_FILTERS} channels to look into")
    early, middle = spatial[len(spatial) // 8].path, spatial[len(spatial) // 2].path
    return {
        "predict": {"top": 5},
        "activations": {"layer": list(dict.fromkeys([early, middle, model.default_layer])), "channels": _CHANNELS, "order": "mean"},
        "filters": {"layer": convolutions[len(convolutions) // 2], "channels": _FILTERS, "columns": _FILTERS // 2},
        "grad_cam": {},
    }
