"""A user asks the service what it has, and follows and cancels jobs, from the command line."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from convscope import AsyncClient
from convscope.cli.completions import complete_method, complete_model
from jobstore.store import JobStore
from service.settings import ServiceSettings
from tests.client_python.cli.conftest import ROOT, Program
from tests.service.checking_worker import HDF5, checking
from tests.service.fake_worker import FakeWorker, png


@pytest.fixture
def settings(settings: ServiceSettings) -> ServiceSettings:
    return settings.model_copy(update={"model_uploads": True})


def table(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]


@pytest.mark.slow
async def test_models_layers_labels_and_methods_are_listed(program: Program, worker: FakeWorker) -> None:
    models, layers, labels, methods, parameters, unknown = await asyncio.gather(
        program("models"),
        program("layers", "vgg16", "--kind", "conv", "--json"),
        program("labels", "vgg16", "cat"),
        program("methods"),
        program("methods", "grad_cam"),
        program("methods", "grad_can"),
    )
    assert ["vgg16", "keras_applications"] in [row[:2] for row in table(models.stdout)]
    assert "block5_conv3" in [layer["path"] for layer in json.loads(layers.stdout)]
    assert {layer["kind"] for layer in json.loads(layers.stdout)} == {"conv"}
    assert table(labels.stdout)[0] == ["class_index", "label"]
    assert ["2", "Egyptian cat"] in table(labels.stdout)
    assert all("cat" in label for _, label in table(labels.stdout)[1:])
    assert {"grad_cam", "filters"} <= {row[0] for row in table(methods.stdout)}
    assert ["alpha", "0.6"] in [row[:2] for row in table(parameters.stdout)]
    assert (unknown.status, "There is no method 'grad_can'. It must be one of " in unknown.stderr) == (1, True)


@pytest.mark.slow
async def test_a_model_is_uploaded_and_deleted(
    program: Program, settings: ServiceSettings, store: JobStore, worker: FakeWorker, tmp_path: Path
) -> None:
    (tmp_path / "flowers.h5").write_bytes(HDF5)
    async with checking(store, settings) as checker:
        made = await program("models", "--upload", str(tmp_path / "flowers.h5"))
        assert [row[:2] for row in table(made.stdout)[1:]] == [["flowers", "upload"]]
        assert checker.seen == [HDF5]
        refused = await program("models", "--upload", str(tmp_path / "flowers.h5"), "--name", "vgg16")
        assert (refused.status, "belongs to the operator" in refused.stderr) == (1, True)
        left = await program("models", "--delete", "flowers")
        assert "flowers" not in [row[0] for row in table(left.stdout)]
    assert (await program("models", "--name", "flowers")).status == 2


@pytest.mark.slow
async def test_jobs_are_listed_and_canceled(program: Program, url: str, worker: FakeWorker) -> None:
    async with AsyncClient(url) as client:
        jobs = [await client.submit("grad_cam", png(seed=seed), model="vgg16") for seed in range(3)]
        ended = await program("cancel", jobs[0].id, jobs[1].id, "01K5YQZ7T8Y1W4V9N3M2XQJ6RD")
        assert ended.status == 1
        assert ended.stdout.splitlines() == [f"{job.id}: canceled" for job in jobs[:2]]
        assert ended.stderr.startswith("01K5YQZ7T8Y1W4V9N3M2XQJ6RD: not_found: ")
        canceled, newest = await asyncio.gather(program("jobs", "--state", "canceled"), program("jobs", "--limit", "1", "--json"))
        assert {row[0] for row in table(canceled.stdout)[1:]} == {job.id for job in jobs[:2]}
        assert [job["id"] for job in json.loads(newest.stdout)] == [jobs[2].id]


@pytest.mark.slow
async def test_the_program_tells_its_version_and_completes_names(
    program: Program, url: str, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await program("--version")).stdout == f"convscope-client {version('convscope-client')}\n"
    assert {"grad_cam", "grad_x_input"} <= set(complete_method("grad_"))
    monkeypatch.setenv("CONVSCOPE_URL", url)
    assert await asyncio.to_thread(complete_model, "vgg") == ["vgg16", "vgg19"]
    monkeypatch.setenv("CONVSCOPE_URL", "http://127.0.0.1:9")
    assert complete_model("vgg") == []


_COMPLETED_IN_BASH = """
eval "$({script})"
COMP_WORDS=(convscope-client methods grad_x)
COMP_CWORD=2
_convscope_client_completion convscope-client
echo "${{COMPREPLY[@]}}"
"""


@pytest.mark.slow
@pytest.mark.parametrize("script", ["convscope-client --show-completion", "_CONVSCOPE_CLIENT_COMPLETE=source_bash convscope-client"])
def test_bash_completes_with_the_script_that_the_program_prints(script: str) -> None:
    assert _bash(_COMPLETED_IN_BASH.format(script=script)) == "grad_x_input\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("zsh", "compdef _convscope_client_completion convscope-client"),
        ("fish", "complete --command convscope-client"),
        ("powershell", "Register-ArgumentCompleter -Native -CommandName convscope-client"),
    ],
)
def test_the_script_of_any_shell_is_printed_when_a_variable_names_it(shell: str, line: str) -> None:
    assert line in _bash(f"_CONVSCOPE_CLIENT_COMPLETE=source_{shell} convscope-client")


def _bash(commands: str) -> str:
    """Return what commands print in a bash that finds the program. The shell that the program sees is this one, whoever runs the tests."""
    python_path = f"{ROOT}{os.pathsep}{ROOT / 'client' / 'python'}"
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": python_path}
    ended = subprocess.run(["bash", "-c", commands], env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout
