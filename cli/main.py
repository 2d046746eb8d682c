"""Shows what convolutional networks see."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.failure import reported

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False, help=__doc__)

Host = Annotated[str | None, typer.Option(help="Address to listen on; else CONVSCOPE_HOST.", show_default=False)]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port, 0 for a free one; else CONVSCOPE_PORT.", show_default=False)]
Insecure = Annotated[bool, typer.Option("--insecure", help="Listen beyond loopback although callers need no key.")]
Parent = Annotated[int | None, typer.Option("--parent", hidden=True, help="End when this process does.")]


@app.command()
def serve(host: Host = None, port: Port = None, insecure: Insecure = False) -> None:
    """Service, workers and, with no CONVSCOPE_REDIS_URL, Redis, until Ctrl-C."""
    with reported():
        from cli.serve import serve

        serve(host, port, insecure=insecure)


@app.command()
def api(
    host: Host = None,
    port: Port = None,
    insecure: Insecure = False,
    fd: Annotated[int | None, typer.Option(hidden=True, help="A socket that listens already.")] = None,
    parent: Parent = None,
) -> None:
    """The HTTP service alone. Runs where TensorFlow is not installed."""
    with reported():
        from cli.api import api

        api(host, port, insecure=insecure, fd=fd, parent=parent)


@app.command()
def worker(parent: Parent = None) -> None:
    """The workers alone: a process for each device."""
    with reported():
        from cli.worker import worker

        worker(parent)


@app.command()
def demo(
    image: Annotated[Path, typer.Option(help="A photo.", exists=True, dir_okay=False)] = Path("samples/cat.jpg"),
    out: Annotated[Path, typer.Option(help="Where the pictures go.", file_okay=False)] = Path("out/demo"),
    model: Annotated[str, typer.Option(help="A model's name.")] = "efficientnet_lite0",
) -> None:
    """Prediction, activations, filters and Grad-CAM of a photo, through HTTP and Redis."""
    with reported():
        from cli.demo import demo

        demo(image, out, model)


@app.command()
def gallery(
    image: Annotated[Path, typer.Option(help="A photo.", exists=True, dir_okay=False)] = Path("samples/cat.jpg"),
    docs: Annotated[Path, typer.Option(help="The folder of documents.", file_okay=False)] = Path("docs"),
    only: Annotated[str | None, typer.Option(help="A method whose page alone is made again.", show_default=False)] = None,
) -> None:
    """Makes the sources' figures and every method's page again, through HTTP and Redis."""
    with reported():
        from cli.gallery import gallery

        gallery(image, docs, only)


@app.command()
def doctor() -> None:
    """Says what is here, and with status 1 what is missing."""
    with reported():
        from cli.doctor import doctor

        doctor()


if __name__ == "__main__":
    app()
