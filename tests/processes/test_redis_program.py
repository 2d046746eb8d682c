from __future__ import annotations

from pathlib import Path

import pytest

from processes.redis_program import EmbeddedRedisError, find_redis_server


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return path


def test_one_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    mine = program(tmp_path / "redis-server", "echo Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_redis_server() == mine


def test_valkey_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    mine = program(tmp_path / "valkey-server", "echo Valkey server v=8.0.1 sha=00000000:0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_redis_server() == mine


@pytest.mark.parametrize("says", ["echo Redis server v=6.2.14 sha=0", "exit 1", "echo hello"])
def test_one_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str):
    program(tmp_path / "redis-server", says)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_redis_server().parent != tmp_path


def test_where_there_is_none_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program(tmp_path / "redis-server", "echo Redis server v=6.2.14 sha=0")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("processes.redis_program.importlib.util.find_spec", lambda _: None)
    with pytest.raises(EmbeddedRedisError, match=r"Found only: .*redis-server \(version 6\.2\.14\).*CONVSCOPE_REDIS_URL"):
        find_redis_server()
