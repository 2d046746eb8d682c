"""convscope shows what convolutional networks see."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.client_commands import add_client_commands
from cli.failure import reported
from processes.malloc_arenas import bound_malloc_arenas

app = typer.Typer(no_args_is_help=True, pretty_exceptions_show_locals=False)

keys = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")
app.add_typer(keys, name="keys")

Host = Annotated[str | None, typer.Option(help="The service listens on this address. By default it is CONVSCOPE_HOST.", show_default=False)]
Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="The service listens on this port; 0 takes a free one. By default it is CONVSCOPE_PORT."),
]
Insecure = Annotated[
    bool,
    typer.Option("--insecure", help="The service may listen on an address beyond loopback although callers need no key or nobody has one."),
]
PhotoFile = Annotated[Path, typer.Option(help="The command shows this photo to the model.", exists=True, dir_okay=False)]


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"convscope {version('convscope')}")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and end.")
    ] = False,
) -> None:
    """Show what convolutional networks see."""


@app.command()
def serve(host: Host = None, port: Port = None, insecure: Insecure = False) -> None:
    """Run the service, the workers and a Redis until Ctrl-C. No Redis is started if CONVSCOPE_REDIS_URL names one."""
    with reported():
        from cli.serve import serve

        serve(host, port, insecure=insecure)


@app.command()
def api(
    host: Host = None,
    port: Port = None,
    insecure: Insecure = False,
    fd: Annotated[int | None, typer.Option(hidden=True, help="The descriptor of a socket that listens already.")] = None,
    process: Annotated[int | None, typer.Option(hidden=True, help="The number of this process among those that share the socket.")] = None,
) -> None:
    """Run the HTTP service alone. TensorFlow need not be installed."""
    bound_malloc_arenas(1)  # before anything is imported that starts threads
    with reported():
        from cli.api import api

        api(host, port, insecure=insecure, fd=fd, process=process)


@app.command()
def worker() -> None:
    """Run the workers alone: one process for each device."""
    with reported():
        from cli.worker import worker

        worker()


@app.command()
def demo(
    image: PhotoFile = Path("samples/cat.jpg"),
    out: Annotated[Path, typer.Option(help="The pictures and arrays are written to this folder.", file_okay=False)] = Path("out/demo"),
    model: Annotated[str, typer.Option(help="The name of the model that is looked into.")] = "efficientnet_lite0",
) -> None:
    """Make a prediction, activations, filters and a Grad-CAM of a photo, through HTTP and Redis."""
    with reported():
        from cli.demo import demo

        demo(image, out, model)


@app.command()
def gallery(
    image: PhotoFile = Path("samples/cat.jpg"),
    docs: Annotated[Path, typer.Option(help="The pages and pictures are written to this folder.", file_okay=False)] = Path("docs"),
    only: Annotated[
        str | None, typer.Option(help="Only the page of this method and its figures in the gallery are made again.", show_default=False)
    ] = None,
) -> None:
    """Make the sources' figures and every method's page again, through HTTP and Redis."""
    with reported():
        from cli.gallery import gallery

        gallery(image, docs, only)


@app.command()
def doctor() -> None:
    """List what this machine has of what convscope needs. The exit status is 1 if something is missing."""
    with reported():
        from cli.doctor import doctor

        doctor()


@keys.command("add")
def keys_add(
    owner: Annotated[str, typer.Argument(help="What is made with the key belongs to this owner.")],
    scopes: Annotated[str, typer.Option(help="The key allows this: read, submit or admin, with commas between.")] = "read,submit",
    expires: Annotated[
        str | None,
        typer.Option(help="The key is refused after this duration (30d, 12h, 45m) or from this time on (2027-01-31).", show_default=False),
    ] = None,
) -> None:
    """Make an API key and print it. It is shown this once."""
    with reported():
        from cli.keys import add_key

        add_key(owner, scopes, expires)


@keys.command("list")
def keys_list() -> None:
    """List the API keys without their secret parts."""
    with reported():
        from cli.keys import list_keys

        list_keys()


@keys.command("revoke")
def keys_revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the key, as `convscope keys list` shows it.")]) -> None:
    """Revoke an API key."""
    with reported():
        from cli.keys import revoke_key

        revoke_key(key_id)


add_client_commands(app)

if __name__ == "__main__":
    app()
