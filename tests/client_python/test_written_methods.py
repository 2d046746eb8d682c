"""The client's methods are those of the service, its errors cover every code, and it needs nothing of the server."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from cli import client_methods
from convscope import AsyncClient, Client
from convscope.errors import FAMILIES, ProblemError, UnknownNameError, problem_error
from schemas.methods import METHODS
from schemas.problem import Problem


@pytest.mark.parametrize("module", client_methods.MODULES)
def test_the_written_modules_are_current(module: str) -> None:
    present = (client_methods.FOLDER / module).read_text("utf-8")
    assert present == client_methods.MODULES[module](), "run `make settings`"


def test_every_method_has_its_parameters_in_its_signature() -> None:
    for name, params in METHODS.items():
        for client in (Client, AsyncClient):
            signature = inspect.signature(getattr(client, name))
            assert set(params.model_fields) <= set(signature.parameters)
            assert ("image" in signature.parameters) == params.card.needs_image
    assert inspect.iscoroutinefunction(AsyncClient.grad_cam)
    layer = inspect.signature(Client.grad_cam).parameters["layer"]
    assert (layer.annotation, repr(layer.default)) == ("str | Sequence[str] | None", "DEFAULT")


def test_the_two_clients_have_the_same_surface() -> None:
    def public(client: type) -> set[str]:
        return {name for name in dir(client) if not name.startswith("_")}

    assert public(Client) == public(AsyncClient)


def test_every_code_of_the_service_belongs_to_one_family() -> None:
    schema = Problem.model_fields["code"].json_schema_extra
    assert isinstance(schema, dict)
    codes = schema["enum"]
    assert isinstance(codes, list)
    families = {code: [family for family in FAMILIES if code in family.codes] for code in codes}
    assert {code for code, found in families.items() if len(found) != 1} == set()
    assert {code for family in FAMILIES for code in family.codes} == set(codes)
    error = problem_error({"code": "unknown_layer", "detail": "No.", "errors": [{"pointer": "/params/layer", "detail": "No."}]})
    assert (type(error), error.code, error.errors[0]["pointer"]) == (UnknownNameError, "unknown_layer", "/params/layer")
    assert type(problem_error({"code": "of_a_later_version", "detail": "New."})) is ProblemError


def test_the_client_starts_without_numpy_and_pillow() -> None:
    program = (
        "import sys; sys.modules.update({'numpy': None, 'PIL': None, 'pydantic': None, 'tensorflow': None});"
        "import convscope; convscope.Client('http://localhost:1').close()"
    )
    folder = Path(__file__).parents[2] / "client" / "python"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=folder, timeout=60)
