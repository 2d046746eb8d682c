"""The command `convscope demo`: run four methods on a photo, as any caller of the service would."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue
from rich.console import Console

from cli.client import Client
from cli.demo_output import FinishedJob, print_report, write_artifacts, write_contact_sheet
from cli.demo_progress import DemoProgress
from cli.failure import CommandFailed
from cli.temporary_stack import temporary_stack
from cli.time_limit import time_limit
from schemas.methods import METHODS
from schemas.models import LayerKind, ModelDescription

_JOB_SECONDS = 300
_CHANNELS = 64  # drawn from each layer
_FILTERS = 16


def demo(image: Path, out: Path, model: str) -> None:
    """Start all of convscope, run the jobs, and write their pictures, their arrays and a contact sheet.

    Args:
        image: the file of a photo.
        out: the folder that everything is written to.
        model: the name of the model.

    Raises:
        CommandFailed: a job did not succeed, or convscope could not be started.
    """
    console = Console()
    logs = out / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    console.print(f"Starting Redis, the service and a worker (their logs: {logs}/)")
    with temporary_stack("demo", logs) as stack:
        start = time.monotonic() - began
        console.print(f"Ready on {stack.url} after {start:.1f} s")
        with stack.interrupts.raising(), Client(stack.url) as client:
            finished = _run_jobs(client, console, image, model)
    for finished_job in finished:
        write_artifacts(finished_job, out / finished_job.job.method)
    sheet = write_contact_sheet(f"What {model} sees in {image.name}", finished, out)
    print_report(console, finished, start, time.monotonic() - began)
    console.print(f"Pictures and arrays: {out}/   all pictures on one sheet: {sheet}", soft_wrap=True)


def _run_jobs(client: Client, console: Console, image: Path, model: str) -> list[FinishedJob]:
    uploaded = client.upload(image.name, image.read_bytes())
    finished: list[FinishedJob] = []
    with DemoProgress(console) as progress:
        for method, params in _params_by_method(client.model(model)).items():
            began = time.monotonic()
            card = METHODS[method].card
            with time_limit(_JOB_SECONDS, card.title), progress.job(card.title) as on_progress:
                submitted = client.submit(method, model, params, uploaded.id if card.needs_image else None)
                job = client.follow(submitted, on_progress)
                content = {artifact.name: client.artifact(artifact) for artifact in job.artifacts}
            finished.append(FinishedJob(job, content, time.monotonic() - began))
    return finished


def _params_by_method(model: ModelDescription) -> dict[str, Mapping[str, JsonValue]]:
    """Return the parameters of each method, for this model.

    Activations come from an early, a middle and the last layer, filters from a middle convolution.
    """
    spatial = [layer for layer in model.layers if layer.cam_able and layer.kind in (LayerKind.CONV, LayerKind.ACTIVATION)]
    # Filters use the convolution itself. After its ReLU, a channel that is silent at the start has no gradient to rise by.
    convolutions = [layer.path for layer in spatial if layer.type == "Conv2D" and (layer.channels or 0) >= _FILTERS]
    if not convolutions or model.default_layer is None:
        raise CommandFailed(f"The demo needs a convolution with at least {_FILTERS} channels, and the model '{model.name}' has none.")
    early, middle = spatial[len(spatial) // 8].path, spatial[len(spatial) // 2].path
    return {
        "predict": {"top": 5, "annotate": False},  # the tile of the sheet has a title of its own
        "activations": {"layer": list(dict.fromkeys([early, middle, model.default_layer])), "channels": _CHANNELS, "order": "mean"},
        "filters": {"layer": convolutions[len(convolutions) // 2], "channels": _FILTERS, "columns": _FILTERS // 2},
        "grad_cam": {},
    }
