"""The commands that ask what the service has: `models`, `layers`, `labels` and `methods`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convscope.cli.asking import asking
from convscope.cli.completions import complete_method, complete_model
from convscope.cli.service_options import AsJson, Key, Url

if TYPE_CHECKING:
    from convscope.client import Client

ModelArgument = Annotated[str, typer.Argument(help="The name of the model.", autocompletion=complete_model)]


def models(
    context: typer.Context,
    *,
    upload: Annotated[
        Path | None,
        typer.Option(help="Upload this .keras or .h5 file as a model, if the service takes models.", exists=True, dir_okay=False),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The name of the uploaded model. By default it is that of the file.", show_default=False)
    ] = None,
    delete: Annotated[
        str | None, typer.Option(help="Delete this uploaded model.", show_default=False, autocompletion=complete_model)
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List the models. With --upload or --delete, change them first."""
    from convscope.cli.listing import show

    if name is not None and upload is None:
        raise typer.BadParameter("It names an uploaded model, so --upload is needed too.", param_hint="--name")
    with asking(context, url, key) as client:
        if delete is not None:
            client.delete_model(delete)
        listed = client.models() if upload is None else _uploaded(client, upload, name)
        show(listed, ("name", "source", "input", "classes", "loaded", "why it cannot be used"), _model_cells, as_json=as_json)


def layers(
    context: typer.Context,
    model: ModelArgument,
    *,
    kind: Annotated[str | None, typer.Option(help="Only layers of this kind, such as conv.", show_default=False)] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List the layers of a model. The path of a layer is its name in parameters."""
    from convscope.cli.listing import show

    names = ("path", "type", "output_shape", "channels", "parameters", "cam_able")
    with asking(context, url, key) as client:
        show(client.layers(model, kind), names, lambda layer: [layer[name] for name in names], as_json=as_json)


def labels(
    context: typer.Context,
    model: ModelArgument,
    text: Annotated[str | None, typer.Argument(help="Only classes whose label has this text.", show_default=False)] = None,
    *,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List the classes of a model."""
    from convscope.cli.listing import show

    names = ("class_index", "label")
    with asking(context, url, key) as client:
        show(client.labels(model, text), names, lambda label: [label[name] for name in names], as_json=as_json)


def methods(
    context: typer.Context,
    method: Annotated[
        str | None,
        typer.Argument(help="Show the parameters of this method.", show_default=False, autocompletion=complete_method),
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List the methods, or the parameters of one."""
    from convscope.cli.failing import CommandError
    from convscope.cli.listing import show

    with asking(context, url, key) as client:
        found = client.methods()
        if method is None:
            show(found, ("name", "what it shows"), lambda each: (each["name"], each["summary"]), as_json=as_json)
            return
        one = next((each for each in found if each["name"] == method), None)
        if one is None:
            raise CommandError(f"There is no method '{method}'. It must be one of {', '.join(each['name'] for each in found)}.")
        required = set(one["parameters"].get("required", ()))
        rows = [{"name": name, "required": name in required, **field} for name, field in one["parameters"]["properties"].items()]
        show([one] if as_json else rows, ("parameter", "by default", "meaning"), _parameter_cells, as_json=as_json)


def _uploaded(client: Client, file: Path, name: str | None) -> list[dict[str, Any]]:
    """Upload a model, and return its row of the list."""
    made = client.upload_model(file, name)["name"]
    return [model for model in client.models() if model["name"] == made]


def _model_cells(model: Mapping[str, Any]) -> tuple[object, ...]:
    image = model["input"]
    size = None if image is None else [image["height"], image["width"], image["channels"]]
    return model["name"], model["source"], size, model["classes"], model["loaded"], model["reason"]


def _parameter_cells(field: Mapping[str, Any]) -> tuple[object, ...]:
    default = "required" if field["required"] else json.dumps(field["default"]) if "default" in field else ""
    return field["name"], default, field.get("description", "")
