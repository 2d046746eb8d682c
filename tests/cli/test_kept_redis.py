"""The embedded Redis has a Unix socket, and is started again with its address and its data, but not for ever."""

from __future__ import annotations

import os
import signal
import stat
import tempfile
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from cli.failure import CommandFailed
from cli.kept_redis import MOST_RESTARTS, KeptRedis
from jobstore.redis_address import read_address
from tests.wait import wait_until


def _kill(kept: KeptRedis) -> None:
    with Redis.from_url(kept.url) as redis:
        os.kill(int(redis.info("server")["process_id"]), signal.SIGKILL)
    wait_until(lambda: not kept.running)


@pytest.mark.faults
def test_a_dead_server_comes_back_with_its_address_and_its_data_until_it_has_died_too_often(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = KeptRedis(tmp_path, appendfsync="always", max_memory=0)
    try:
        url = kept.url
        for number in range(MOST_RESTARTS):
            with Redis.from_url(url) as redis:
                redis.set(f"key{number}", number, ex=60)
            _kill(kept)
            kept.check()
            assert kept.url == url
            with Redis.from_url(url) as redis:
                assert [redis.get(f"key{each}") for each in range(number + 1)] == [str(each).encode() for each in range(number + 1)]
        assert capsys.readouterr().err.count("convscope starts it again") == MOST_RESTARTS
        _kill(kept)
        with pytest.raises(CommandFailed, match=f"Redis ended by itself {MOST_RESTARTS + 1} times within 10 minutes"):
            kept.check()
    finally:
        kept.stop()


def test_clients_use_a_socket_that_only_the_owner_can_reach(tmp_path: Path) -> None:
    kept = KeptRedis(tmp_path, appendfsync="everysec", max_memory=0)
    try:
        path = Path(read_address(kept.url).path or "")
        assert path.is_socket()
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        with Redis.from_url(kept.url) as redis:
            assert redis.ping()
        with Redis(unix_socket_path=str(path)) as stranger, pytest.raises(AuthenticationError):
            stranger.ping()
    finally:
        kept.stop()
    assert not path.parent.exists()


def test_a_folder_with_a_long_name_leaves_the_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operating system allows about a hundred bytes for the path of a socket."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    kept = KeptRedis(tmp_path, appendfsync="everysec", max_memory=0)
    try:
        assert kept.url.startswith("redis://")
        with Redis.from_url(kept.url) as redis:
            assert redis.ping()
    finally:
        kept.stop()
