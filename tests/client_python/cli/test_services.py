"""A command finds its service, says how to start one, or starts one for the run."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from cli import client_commands, main
from convscope.cli import services
from convscope.cli.failing import CommandError
from convscope.cli.services import CommandHome, service
from tests.client_python.cli.conftest import ROOT, rows

_NOBODY = "http://127.0.0.1:9"


@contextmanager
def started() -> Generator[str]:
    yield "http://started"


@pytest.fixture(autouse=True)
def _no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "DEFAULT_URL", _NOBODY)
    monkeypatch.delenv("CONVSCOPE_URL", raising=False)


def test_a_service_is_started_only_for_a_run_without_an_address() -> None:
    server = CommandHome("convscope", started, "Start one.")
    with service(server, None, may_start=True) as url:
        assert url == "http://started"
    client = CommandHome("convscope-client", None, "Start one.")
    for home, address, may_start in ((server, None, False), (client, None, True)):
        with (
            pytest.raises(CommandError, match=r"No service answers at http://127.0.0.1:9 .*Start one\. Or name another"),
            service(home, address, may_start=may_start),
        ):
            pass
    with pytest.raises(CommandError, match="No service answers"), service(server, _NOBODY, may_start=True):
        pass
    with pytest.raises(CommandError, match="must begin with http:// or https://; got 'localhost'"), service(server, "localhost"):
        pass


def test_the_server_has_the_commands_where_the_client_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "run" in CliRunner().invoke(main.app, ["--help"]).stdout.split()
    alone = typer.Typer()
    monkeypatch.setattr(client_commands, "find_spec", lambda _: None)
    client_commands.add_client_commands(alone)
    assert not alone.registered_commands


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.timeout(240)
def test_the_server_starts_a_service_for_the_command_of_the_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    program, *arguments = shlex.split(text.split("```sh\n")[1].split("\n")[0])
    (tmp_path / "photos").mkdir()
    shutil.copy(ROOT / "samples" / "cat.jpg", tmp_path / "photos" / "cat.jpg")
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(main.app, arguments)
    assert (program, ended.exit_code) == ("convscope", 0), ended.output
    assert "One is started for this run." in ended.stderr
    assert "1 of 1 done: out/manifest.jsonl" in ended.stdout
    assert rows(tmp_path / "out" / "manifest.jsonl")["cat.jpg"]["facts"]["label"] == "Egyptian cat"
    with Image.open(tmp_path / "out" / "cat.jpg.overlay.png") as picture:
        assert picture.size == (601, 382)
    with Image.open(tmp_path / "out" / "contact-sheet.png") as sheet:
        assert sheet.width == 256 + 2 * 16
