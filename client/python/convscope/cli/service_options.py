"""The options that say which service a command asks."""

from __future__ import annotations

from typing import Annotated

import typer

Url = Annotated[
    str | None,
    typer.Option(envvar="CONVSCOPE_URL", help="The address of the service. By default http://127.0.0.1:8000.", show_default=False),
]
Key = Annotated[
    str | None,
    typer.Option(
        envvar="CONVSCOPE_KEY", help="The API key, if the service needs one. The variable hides it from other users.", show_default=False
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer of the service as JSON.")]
