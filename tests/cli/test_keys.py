"""`convscope keys`, and the refusal to listen beyond loopback without a key."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.access import check_keys_exist, with_auth_decided
from cli.failure import CommandFailed
from cli.main import app
from service.settings import ServiceSettings

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    monkeypatch.setenv("CONVSCOPE_REDIS_URL", redis_url)
    monkeypatch.setenv("CONVSCOPE_DATA_DIR", str(tmp_path))
    return CliRunner()


def test_a_key_is_made_listed_and_revoked(run: CliRunner) -> None:
    made = run.invoke(app, ["keys", "add", "ada", "--scopes", "submit,read", "--expires", "30d"])
    assert made.exit_code == 0, made.output
    key = made.stdout.strip()
    assert re.fullmatch(r"cs_[0-9a-z]{12}_[A-Za-z0-9_-]{43}", key)
    until = datetime.now(UTC) + timedelta(days=30)
    key_id = key.split("_")[1]
    assert f"The key {key_id} of ada is valid until {until:%Y-%m-%d}" in made.stderr
    listed = run.invoke(app, ["keys", "list"]).stdout.splitlines()
    assert listed[1].split()[:5] == [key_id, "ada", "read,submit", f"{datetime.now(UTC):%Y-%m-%d}", f"{until:%Y-%m-%d}"]
    assert key not in "".join(listed)
    assert run.invoke(app, ["keys", "revoke", key_id]).exit_code == 0
    assert len(run.invoke(app, ["keys", "list"]).stdout.splitlines()) == 1
    again = run.invoke(app, ["keys", "revoke", key_id])
    assert (again.exit_code, f"no key '{key_id}'" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a:b"], "owner"),
        (["ada", "--scopes", "root"], "scopes"),
        (["ada", "--scopes", ""], "scopes"),
        (["ada", "--expires", "soon"], "--expires takes a duration such as 30d"),
        (["ada", "--expires", "2001-01-01"], "must be in the future"),
    ],
)
def test_a_wrong_order_is_refused_in_words(run: CliRunner, arguments: list[str], words: str) -> None:
    refused = run.invoke(app, ["keys", "add", *arguments])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert words in refused.stderr


def test_without_a_running_redis_the_embedded_one_keeps_the_key(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONVSCOPE_")}
    environment |= {"CONVSCOPE_DATA_DIR": str(tmp_path), "PYTHONPATH": str(_ROOT)}
    command = [sys.executable, "-m", "cli.main", "keys"]
    made = subprocess.run([*command, "add", "ada"], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    listed = subprocess.run([*command, "list"], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert listed.stdout.splitlines()[1].startswith(made.stdout.split("_")[1])


@pytest.mark.parametrize(
    ("host", "auth", "insecure", "decided"),
    [
        ("127.0.0.1", None, False, "off"),
        ("127.0.0.1", "required", False, "required"),
        ("0.0.0.0", None, False, "required"),  # noqa: S104
        ("0.0.0.0", None, True, "off"),  # noqa: S104
        ("0.0.0.0", "required", True, "required"),  # noqa: S104
        ("::1", None, False, "off"),
    ],
)
def test_auth_follows_from_the_address(host: str, auth: str | None, insecure: bool, decided: str) -> None:
    settings = ServiceSettings.model_validate({"host": host, "auth": auth})
    assert with_auth_decided(settings, insecure=insecure).auth == decided


def test_no_service_takes_models_from_other_machines_without_keys() -> None:
    def decided(host: str, auth: str | None, *, insecure: bool = True) -> str | None:
        settings = ServiceSettings.model_validate({"host": host, "auth": auth, "model_uploads": True})
        return with_auth_decided(settings, insecure=insecure).auth

    for auth in (None, "off"):
        with pytest.raises(CommandFailed, match=r"refuses to take models on 0\.0\.0\.0.*CONVSCOPE_AUTH=required"):
            decided("0.0.0.0", auth)  # noqa: S104
    assert decided("0.0.0.0", "required") == "required"  # noqa: S104
    assert decided("0.0.0.0", None, insecure=False) == "required"  # noqa: S104
    assert decided("127.0.0.1", None) == "off"


def test_beyond_loopback_there_must_be_a_key(redis_url: str, run: CliRunner) -> None:
    settings = ServiceSettings.model_validate({"host": "0.0.0.0", "auth": "required"})  # noqa: S104
    with pytest.raises(CommandFailed, match=r"no API key yet.*convscope keys add"):
        check_keys_exist(settings, redis_url, insecure=False)
    check_keys_exist(settings, redis_url, insecure=True)
    run.invoke(app, ["keys", "add", "ada"])
    check_keys_exist(settings, redis_url, insecure=False)


def test_the_command_refuses_to_listen_for_others_without_a_key(run: CliRunner) -> None:
    refused = run.invoke(app, ["api", "--host", "0.0.0.0", "--port", "0"])  # noqa: S104
    assert (refused.exit_code, "because there is no API key yet" in refused.stderr) == (1, True)
    refused = run.invoke(app, ["api", "--host", "0.0.0.0", "--port", "0"], env={"CONVSCOPE_AUTH": "off"})  # noqa: S104
    assert (refused.exit_code, "callers would need no key" in refused.stderr) == (1, True)
